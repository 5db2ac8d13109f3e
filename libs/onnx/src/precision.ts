import { hasExactInt8 } from './exact-int8.js';
import type { KernelSet } from './kernel-set.js';
import type { LinearKind } from './linear.js';

/**
 * How matrices are stored and multiplied. int8 and int4 round the weights of linear layers, and activations to 8 bits for the
 * product; embeddings, norms, biases, attention and the KV cache stay float32. int4 is the text decoder's layers:
 * its head, whose rounding goes straight into the logits, and the vision tower have 8 bits.
 */
export type Precision = (typeof precisions)[number];

/** All of them, the most exact first. */
export const precisions = ['float32', 'int8', 'int4'] as const;

/** How each part of a model multiplies. */
export interface LinearKinds {
  readonly vision: LinearKind;
  readonly text: { readonly layers: LinearKind; readonly head: LinearKind };
}

/** The kinds of a precision that have kernels. */
export async function linearKinds(precision: Precision, kernels: KernelSet): Promise<LinearKinds> {
  if (precision === 'float32') return { vision: 'float32', text: { layers: 'float32', head: 'float32' } };
  const vision = kernels === 'cpu' && (await hasExactInt8()) ? 'rows8' : 'blocks8';
  return { vision, text: { layers: precision === 'int8' ? 'blocks8' : 'blocks4', head: 'blocks8' } };
}
