import kafkajs, { type PartitionAssigner } from 'kafkajs';
import { dealPartitions, type Claimant } from './deal-partitions.js';

/** Partitions by the cluster's name of their topic. */
export type Holdings = Readonly<Record<string, readonly number[]>>;

const NAME = 'mpa-sticky';
const VERSION = 0;

/**
 * How the members of a group share partitions in kafkajs's eager rebalancing: each tells what it has, and keeps it as far as the shares
 * stay even. kafkajs's own assigner deals all partitions anew, and would have most batches in work done again whenever a worker comes.
 *
 * @param holdings what this member has, those in work first; asked for at every join
 */
export function partitionAssigner(holdings: () => Holdings): PartitionAssigner {
  const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol({ topics }) {
      const userData = Buffer.from(JSON.stringify(holdings()));
      return { name: NAME, metadata: MemberMetadata.encode({ version: VERSION, topics, userData }) };
    },
    async assign({ members, topics }) {
      const shares = new Map<string, Record<string, number[]>>(members.map(({ memberId }) => [memberId, {}]));
      const claims = members.map(({ memberId: id, memberMetadata }) => {
        const told = MemberMetadata.decode(memberMetadata);
        return { id, topics: told?.topics ?? [], holdings: told ? holdingsOf(told.userData) : {} };
      });
      for (const topic of topics) {
        const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
        const readers = claims.filter((member) => member.topics.includes(topic));
        const claimants = readers.map(({ id, holdings }): Claimant => ({ id, holds: holdings[topic] ?? [] }));
        for (const [id, share] of dealPartitions(partitions, claimants)) shares.get(id)![topic] = share;
      }
      return [...shares].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version: VERSION, assignment, userData: Buffer.alloc(0) }),
      }));
    },
  });
}

function holdingsOf(userData: Buffer): Holdings {
  return userData.length === 0 ? {} : (JSON.parse(userData.toString()) as Holdings);
}
