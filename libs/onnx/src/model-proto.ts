import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** Element types, numbered as in onnx.proto `TensorProto.DataType`. */
export const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof elementTypes;

/** A constant of the model: its bytes inline, or where they lie in the external data file. */
export interface TensorProto {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Uint8Array | { readonly file: string; readonly offset: number; readonly length: number };
}

/** An integer number is an int; a float must be wrapped, as JavaScript has one number type. */
export type Attribute = number | string | readonly number[] | { readonly float: number } | GraphProto;

/** One operation; an empty name leaves an optional input or output out. */
export interface NodeProto {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A named, typed value at the boundary of a graph; a string dimension is symbolic. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

const IR_VERSION = 10;
const OPSET = 21;
const EXTERNAL = 1;

/** Bytes of an ONNX `ModelProto` (onnx.proto, IR 10) with the default opset 21 and the `com.microsoft` operators. */
export function encodeModel(graph: GraphProto): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(tag(1, VARINT)).int64(IR_VERSION);
  writer.uint32(tag(2, BYTES)).string('model-parity-aligner');
  message(writer, 7, () => writeGraph(writer, graph));
  opset(writer, '', OPSET);
  opset(writer, 'com.microsoft', 1);
  return writer.finish();
}

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.uint32(tag(field, BYTES)).fork();
  write();
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.uint32(tag(field, BYTES)).string(value);
}

function opset(writer: BinaryWriter, domain: string, version: number): void {
  message(writer, 8, () => {
    text(writer, 1, domain);
    writer.uint32(tag(2, VARINT)).int64(version);
  });
}

function writeGraph(writer: BinaryWriter, graph: GraphProto): void {
  for (const node of graph.nodes) message(writer, 1, () => writeNode(writer, node));
  text(writer, 2, graph.name);
  for (const tensor of graph.initializers) message(writer, 5, () => writeTensor(writer, tensor));
  for (const input of graph.inputs) message(writer, 11, () => writeValueInfo(writer, input));
  for (const output of graph.outputs) message(writer, 12, () => writeValueInfo(writer, output));
}

function writeNode(writer: BinaryWriter, node: NodeProto): void {
  for (const input of node.inputs) text(writer, 1, input);
  for (const output of node.outputs) text(writer, 2, output);
  text(writer, 3, node.name);
  text(writer, 4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    message(writer, 5, () => {
      text(writer, 1, name);
      writeAttribute(writer, value);
    });
  }
  text(writer, 7, node.domain);
}

// AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, GRAPH 5, INTS 7.
function writeAttribute(writer: BinaryWriter, value: Attribute): void {
  const type = (code: number): BinaryWriter => writer.uint32(tag(20, VARINT)).int32(code);
  if (typeof value === 'number') {
    type(2).uint32(tag(3, VARINT)).int64(value);
  } else if (typeof value === 'string') {
    type(3);
    text(writer, 4, value);
  } else if ('float' in value) {
    type(1).uint32(tag(2, FIXED32)).float(value.float);
  } else if ('nodes' in value) {
    type(5);
    message(writer, 6, () => writeGraph(writer, value));
  } else {
    type(7);
    for (const item of value) writer.uint32(tag(8, VARINT)).int64(item);
  }
}

function writeTensor(writer: BinaryWriter, tensor: TensorProto): void {
  for (const dim of tensor.dims) writer.uint32(tag(1, VARINT)).int64(dim);
  writer.uint32(tag(2, VARINT)).int32(elementTypes[tensor.type]);
  text(writer, 8, tensor.name);
  const { data } = tensor;
  if (data instanceof Uint8Array) {
    writer.uint32(tag(9, BYTES)).bytes(data);
    return;
  }
  const entries = { location: data.file, offset: String(data.offset), length: String(data.length) };
  for (const [key, value] of Object.entries(entries)) {
    message(writer, 13, () => {
      text(writer, 1, key);
      text(writer, 2, value);
    });
  }
  writer.uint32(tag(14, VARINT)).int32(EXTERNAL);
}

function writeValueInfo(writer: BinaryWriter, value: ValueInfo): void {
  text(writer, 1, value.name);
  message(writer, 2, () =>
    message(writer, 1, () => {
      writer.uint32(tag(1, VARINT)).int32(elementTypes[value.type]);
      message(writer, 2, () => {
        for (const dim of value.dims) {
          message(writer, 1, () => {
            if (typeof dim === 'string') text(writer, 2, dim);
            else writer.uint32(tag(1, VARINT)).int64(dim);
          });
        }
      });
    }),
  );
}
