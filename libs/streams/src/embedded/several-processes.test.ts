import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSeveralProcesses } from '../several-processes-contract.js';
import { openEmbeddedStreams } from './embedded-streams.js';

const LEASE_MS = 800;

describeSeveralProcesses('the embedded log', LEASE_MS, async () => {
  const place = await mkdtemp(join(tmpdir(), 'mpa-streams-'));
  return {
    place,
    streams: openEmbeddedStreams(place, { leaseMs: LEASE_MS }),
    remove: () => rm(place, { recursive: true }),
  };
});
