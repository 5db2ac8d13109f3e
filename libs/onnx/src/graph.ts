import { elementTypes } from './model-proto.js';
import type { Attribute, ElementType, GraphProto, NodeProto, TensorProto, ValueInfo } from './model-proto.js';

/** The name of a value in a graph. */
export type Value = string;

/** How a node is written: its attributes, how many outputs it has, and the path that names it. */
export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  readonly name?: string;
}

// Operators that ONNX Runtime adds to ONNX.
const contributed = new Set([
  'FastGelu',
  'FusedMatMul',
  'Gelu',
  'GroupQueryAttention',
  'MatMulIntegerToFloat',
  'MatMulNBits',
  'MultiHeadAttention',
  'QuickGelu',
  'RotaryEmbedding',
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
]);

/** Constants that are too large to lie in the model itself, and how to get their bytes, in the same order. */
export interface ExternalWeights {
  readonly tensors: readonly Omit<TensorProto, 'data'>[];
  read(): readonly Uint8Array[];
}

const constantBytes = {
  float32: (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer),
  int32: (values: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer),
  int64: (values: readonly number[]): Uint8Array => new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
  uint8: (values: readonly number[]): Uint8Array => Uint8Array.from(values),
};

/**
 * Builds one ONNX graph, node by node in execution order. Every node has a path for a name (`scope/what/Op`), and its
 * outputs are named after it. A {@link Graph.body} sees its parent's values, as ONNX subgraphs do.
 */
export class Graph {
  readonly #nodes: NodeProto[] = [];
  readonly #constants = new Map<string, TensorProto>();
  readonly #weights = new Map<string, ExternalWeights>();
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #taken: Map<string, number>;
  readonly #made = new Map<string, unknown>();
  readonly #parent: Graph | undefined;

  constructor(
    readonly scope: string,
    parent?: Graph,
  ) {
    this.#parent = parent;
    this.#taken = parent === undefined ? new Map<string, number>() : parent.#taken;
  }

  /** A graph for a Loop body or an If branch. */
  body(scope: string): Graph {
    return new Graph(`${this.scope}/${scope}`, this);
  }

  /** Declares an input. In a body the name is made unique. */
  input(name: string, type: ElementType, dims: readonly (number | string)[]): Value {
    const unique = this.#parent === undefined ? name : this.#unique(`${this.scope}/${name}`);
    this.#inputs.push({ name: unique, type, dims });
    return unique;
  }

  /** Declares `value` an output: of the outermost graph under `name`, of a body in the order of the calls. */
  output(name: string, value: Value, type: ElementType, dims: readonly (number | string)[]): void {
    if (this.#parent !== undefined) {
      this.#outputs.push({ name: value, type, dims });
      return;
    }
    const node = { name: `${name}/Identity`, op: 'Identity', domain: '', attributes: {} };
    this.#nodes.push({ ...node, inputs: [value], outputs: [name] });
    this.#outputs.push({ name, type, dims });
  }

  /** Adds a node with several outputs. */
  nodes(op: string, inputs: readonly Value[], options: NodeOptions = {}): Value[] {
    const name = this.#unique(`${this.scope}/${options.name === undefined ? '' : `${options.name}/`}${op}`);
    const count = options.outputs ?? 1;
    const outputs = Array.from({ length: count }, (_, i) => (count === 1 ? name : `${name}:${i}`));
    const domain = contributed.has(op) ? 'com.microsoft' : '';
    this.#nodes.push({ name, op, domain, inputs, outputs, attributes: options.attributes ?? {} });
    return outputs;
  }

  /** Adds a node with one output. */
  node(
    op: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>> = {},
    name?: string,
  ): Value {
    return this.nodes(op, inputs, name === undefined ? { attributes } : { attributes, name })[0]!;
  }

  /** Adds weights to the outermost graph, once per first name; bodies share them. */
  weights(weights: ExternalWeights): Value[] {
    const names = weights.tensors.map((tensor) => tensor.name);
    const { root } = this;
    if (!root.#weights.has(names[0]!)) root.#weights.set(names[0]!, weights);
    return names;
  }

  /** Everything that was added by {@link Graph.weights}, in order. */
  get externalWeights(): readonly ExternalWeights[] {
    return [...this.root.#weights.values()];
  }

  /** The outermost graph. */
  get root(): Graph {
    return this.#parent === undefined ? this : this.#parent.root;
  }

  /** A small constant: a number is a scalar, a list a vector. Equal constants are one. */
  constant(type: keyof typeof constantBytes, value: number | readonly number[]): Value {
    const { root } = this;
    const name = `constants/${type}/${JSON.stringify(value)}`;
    const list = typeof value === 'number' ? [value] : value;
    const dims = typeof value === 'number' ? [] : [list.length];
    root.#constants.set(name, { name, type, dims, data: constantBytes[type](list) });
    return name;
  }

  /** What `make` gave when it was first called for `key` in this graph. */
  once<R>(key: string, make: () => R): R {
    if (!this.#made.has(key)) this.#made.set(key, make());
    return this.#made.get(key) as R;
  }

  /** `x` in another element type. */
  cast(x: Value, to: ElementType): Value {
    return this.node('Cast', [x], { to: elementTypes[to] });
  }

  /** `x` with another shape, 0 keeping a dimension and -1 filling up. */
  reshape(x: Value, shape: readonly number[]): Value {
    return this.node('Reshape', [x, this.constant('int64', shape)]);
  }

  /** The length of axis `axis` of `x` as an int64 vector of one. */
  length(x: Value, axis: number): Value {
    return this.node('Shape', [x], { start: axis, end: axis + 1 });
  }

  /** The finished graph; `weights` are the external weights where they were written. */
  build(weights: readonly TensorProto[] = []): GraphProto {
    return {
      name: this.scope,
      nodes: this.#nodes,
      initializers: [...this.#constants.values(), ...weights],
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }

  #unique(name: string): string {
    const count = this.#taken.get(name) ?? 0;
    this.#taken.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}
