import { tf } from './tf.js';
import type { Tensor } from './tf.js';

/** One operation of a forward pass. */
interface TapeNode {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly Tensor[];
  /** Tensors kept for the backward pass. */
  readonly saved?: readonly Tensor[];
  /** From the gradients of the outputs to those of the inputs. */
  readonly gradient?: (dys: readonly (Tensor | undefined)[]) => Readonly<Record<string, () => Tensor>>;
}

/** What the engine records of a forward pass, in order. Its types keep this to itself. Source: tfjs-core engine.ts, tape.ts. */
interface TapingEngine {
  startTape(): void;
  endTape(): void;
  readonly state: { activeTape: readonly TapeNode[] | null };
}

/** Runs `forward` and takes the record of it. Frees what `forward` makes, but for its value and what the record keeps. */
export function takeTape(forward: () => Tensor): { readonly value: Tensor; readonly tape: readonly TapeNode[] } {
  const engine = tf.engine() as unknown as TapingEngine;
  engine.startTape();
  try {
    const value = tf.tidy(forward);
    return { value, tape: engine.state.activeTape! };
  } finally {
    engine.endTape();
    engine.state.activeTape = null;
  }
}

/**
 * Gradients of the scalar `y` in each of `xs`, undefined where it does not depend on one. As `engine.gradients`, which holds every
 * gradient on the way, and all that was kept for them, until the last is done; here each is freed once it has been used, so
 * that training takes a fraction of the memory.
 */
export function pullBack(tape: readonly TapeNode[], y: Tensor, xs: readonly Tensor[]): (Tensor | undefined)[] {
  const leading = tensorsAfter(tape, xs);
  const gradients = new Map<number, Tensor>([[y.id, tf.onesLike(y)]]);
  for (const node of [...tape].reverse()) {
    if (leading.nodes.has(node)) pullBackNode(node, gradients, leading.tensors);
    tf.dispose([...(node.saved ?? [])]);
  }
  const wanted = xs.map((x) => gradients.get(x.id));
  for (const gradient of gradients.values()) if (!wanted.includes(gradient)) gradient.dispose();
  return wanted;
}

/** What depends on `xs`: ids of tensors, and the nodes that made them. */
function tensorsAfter(
  tape: readonly TapeNode[],
  xs: readonly Tensor[],
): { readonly tensors: ReadonlySet<number>; readonly nodes: ReadonlySet<TapeNode> } {
  const tensors = new Set(xs.map(({ id }) => id));
  const nodes = new Set<TapeNode>();
  for (const node of tape) {
    if (!Object.values(node.inputs).some(({ id }) => tensors.has(id))) continue;
    nodes.add(node);
    for (const { id } of node.outputs) tensors.add(id);
  }
  return { tensors, nodes };
}

/** Adds a node's share to the gradients of its inputs, and frees those of its outputs. */
function pullBackNode(node: TapeNode, gradients: Map<number, Tensor>, leading: ReadonlySet<number>): void {
  const dys = node.outputs.map(({ id }) => gradients.get(id));
  if (dys.every((dy) => dy === undefined)) return;
  const inputs = Object.entries(node.inputs).filter(([, { id }]) => leading.has(id));
  const dxs = tf.tidy(() => {
    const pull = node.gradient!(dys);
    // One that is passed on as it is must outlive the output's.
    return inputs.map(([name]) => pull[name]!().clone());
  });
  node.outputs.forEach(({ id }) => gradients.delete(id));
  tf.dispose(dys.filter((dy) => dy !== undefined));
  inputs.forEach(([, { id }], i) => {
    const before = gradients.get(id);
    gradients.set(id, before ? before.add(dxs[i]!) : dxs[i]!);
    if (before) tf.dispose([before, dxs[i]!]);
  });
}
