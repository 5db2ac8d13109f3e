import { elementTypes } from './model-proto.js';
import type { ElementType, GraphProto, NodeProto, TensorProto } from './model-proto.js';

const any: readonly ElementType[] = ['bool', 'float32', 'int32', 'int64', 'int8', 'uint8'];
const numbers: readonly ElementType[] = ['float32', 'int32', 'int64', 'int8', 'uint8'];
const wide: readonly ElementType[] = ['float32', 'int32', 'int64'];
const float: readonly ElementType[] = ['float32'];
const indices: readonly ElementType[] = ['int32', 'int64'];
const int64: readonly ElementType[] = ['int64'];
const bool: readonly ElementType[] = ['bool'];

/**
 * Operators with a kernel in CUDAExecutionProvider, and the element types of their inputs, in order (the last is that of all further
 * ones): of `docs/OperatorKernels.md` of microsoft/onnxruntime at commit 001d12d, the rows of opset 21 and of `com.microsoft` 1, as
 * far as graphs of this package need them.
 */
const kernels: Readonly<Record<string, readonly (readonly ElementType[])[]>> = {
  Add: [numbers],
  ArgMax: [float],
  Cast: [any],
  Concat: [any],
  Conv: [float],
  Cos: [float],
  CumSum: [wide, indices],
  Div: [numbers],
  Equal: [['bool', ...wide]],
  Expand: [any, int64],
  Flatten: [any],
  Gather: [any, indices],
  GatherElements: [any, indices],
  Greater: [wide],
  GreaterOrEqual: [wide],
  Identity: [any],
  If: [bool],
  LayerNormalization: [float],
  Less: [wide],
  LessOrEqual: [wide],
  LogSoftmax: [float],
  Loop: [int64, bool, any],
  MatMul: [float],
  Max: [wide],
  Min: [wide],
  Mod: [wide],
  Mul: [numbers],
  NonZero: [['bool', 'uint8', ...wide]],
  Not: [bool],
  Or: [bool],
  Pad: [['bool', 'float32'], int64],
  Range: [wide],
  ReduceMax: [wide, int64],
  ReduceMean: [['float32', 'int32'], int64],
  ReduceMin: [numbers, int64],
  ReduceSum: [wide, int64],
  Relu: [float],
  Reshape: [any, int64],
  ScatterElements: [any, indices, any],
  ScatterND: [any, int64, any],
  Shape: [any],
  SimplifiedLayerNormalization: [float],
  Sin: [float],
  Slice: [any, indices],
  Softmax: [float],
  Split: [any, int64],
  Sqrt: [float],
  Sub: [numbers],
  TopK: [wide, int64],
  Transpose: [any],
  Unsqueeze: [any, int64],
  Where: [bool, ['uint8', ...wide]],
  'com.microsoft.FastGelu': [float],
  'com.microsoft.FusedMatMul': [float],
  'com.microsoft.Gelu': [float],
  'com.microsoft.MatMulNBits': [float, ['uint8'], float],
  'com.microsoft.MultiHeadAttention': [float, float, float, float, ['int32']],
  'com.microsoft.QuickGelu': [float],
  'com.microsoft.RotaryEmbedding': [float, int64, float],
};

/** Nodes of a graph and its bodies that have no kernel in CUDA, each kind once, as `domain.Operator(types)`. */
export function withoutCudaKernel(graph: GraphProto, weights: readonly Omit<TensorProto, 'data'>[]): string[] {
  const types = new Map(weights.map(({ name, type }) => [name, type]));
  const missing = new Set<string>();
  for (const { op, domain, inputs } of nodes(graph, types)) {
    const kind = domain === '' ? op : `${domain}.${op}`;
    const given = inputs.map((name) => (name === '' ? undefined : types.get(name)!));
    const row = kernels[kind];
    const fits = given.every((type, i) => type === undefined || (row?.[i] ?? row?.at(-1))?.includes(type) === true);
    if (!fits) missing.add(`${kind}(${given.join()})`);
  }
  return [...missing];
}

/** Every node, those of bodies before the node that has them; `types` is filled with the element type of every value. */
function* nodes(graph: GraphProto, types: Map<string, ElementType>): Generator<NodeProto> {
  for (const { name, type } of [...graph.initializers, ...graph.inputs]) types.set(name, type);
  for (const node of graph.nodes) {
    for (const attribute of Object.values(node.attributes)) {
      if (typeof attribute === 'object' && 'nodes' in attribute) yield* nodes(attribute, types);
    }
    node.outputs.forEach((name, i) => types.set(name, outputType(node, i, types)));
    yield node;
  }
}

const names = Object.fromEntries(Object.entries(elementTypes).map(([name, number]) => [number, name as ElementType]));
const comparisons = new Set(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);

function outputType(
  { op, inputs, attributes }: NodeProto,
  index: number,
  types: Map<string, ElementType>,
): ElementType {
  if (op === 'Cast') return names[attributes['to'] as number]!;
  if (op === 'If') return (attributes['then_branch'] as GraphProto).outputs[index]!.type;
  if (op === 'Loop') return (attributes['body'] as GraphProto).outputs[index + 1]!.type; // the first is the condition
  if (op === 'QuantizeLinear') return types.get(inputs[2]!)!;
  if (op === 'MatMulIntegerToFloat') return 'float32';
  if (comparisons.has(op)) return 'bool';
  if (op === 'Shape' || op === 'NonZero' || op === 'ArgMax' || (op === 'TopK' && index === 1)) return 'int64';
  return types.get(inputs[op === 'Where' ? 1 : 0]!)!;
}
