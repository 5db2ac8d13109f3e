import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A tensor of reference.safetensors. */
export interface ReferenceTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** One message of a chat as the reference stores it. */
export interface ReferenceMessage {
  readonly role: string;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
}

/** One sample of a case. */
export interface ReferenceSample {
  readonly messages: readonly ReferenceMessage[];
  readonly images: readonly string[];
  readonly chat_text: string;
  readonly expanded_text: string;
  readonly answer: string;
  readonly answer_text: string;
  readonly answer_ids: readonly number[];
  readonly answer_logprobs: readonly number[];
  readonly generated_ids: readonly number[];
  readonly generated_text: string;
}

/** One case: a batch of samples and what the official implementation computes on it. */
export interface ReferenceCase {
  readonly name: string;
  readonly processor_kwargs: {
    readonly do_image_splitting?: boolean;
    readonly crop_to_patches?: boolean;
    readonly max_patches?: number;
    readonly size?: { readonly shortest_edge?: number; readonly longest_edge?: number };
  };
  readonly samples: readonly ReferenceSample[];
  readonly loss: number;
  readonly grad_norms: Readonly<Record<string, number | null>>;
  readonly adamw: {
    readonly losses: readonly number[];
    readonly loss_after: number;
    readonly params: Readonly<Record<string, { readonly sum: number; readonly l2: number }>>;
  };
  readonly lora: { readonly losses: readonly number[]; readonly loss_after: number };
  readonly noise: { readonly adamw_unstable: readonly string[] };
}

/** A folder of the reference: checkpoint, inputs and recorded results. */
export interface OracleFolder {
  readonly dir: string;
  readonly reference: {
    readonly family: string;
    readonly num_parameters: number;
    readonly generation: { readonly new_tokens: number; readonly suppressed_eos_ids: readonly number[] };
    readonly adamw: {
      readonly lr: number;
      readonly betas: readonly [number, number];
      readonly eps: number;
      readonly weight_decay: number;
      readonly steps: number;
    };
    readonly lora: { readonly r: number; readonly lora_alpha: number; readonly modules: readonly string[] };
    readonly tokenizer_texts: readonly {
      readonly text: string;
      readonly ids: readonly number[];
      readonly decoded: string;
    }[];
    readonly cases: readonly ReferenceCase[];
  };
  /** A tensor of the reference. Throws if there is none of that name. */
  tensor(name: string): ReferenceTensor;
  /** Names of the reference's tensors. */
  readonly tensorNames: readonly string[];
}

/** Opens a reference folder. Throws with the file's name if one is missing. */
export async function openOracleFolder(dir: string): Promise<OracleFolder> {
  const reference = JSON.parse(await readFile(join(dir, 'reference.json'), 'utf8')) as OracleFolder['reference'];
  const tensors = readTensors(await readFile(join(dir, 'reference.safetensors')));
  return {
    dir,
    reference,
    tensorNames: [...tensors.keys()],
    tensor: (name) => {
      const tensor = tensors.get(name);
      if (!tensor) throw new Error(`${dir}/reference.safetensors has no tensor ${name}`);
      return tensor;
    },
  };
}

const TYPES = { F32: Float32Array, I32: Int32Array, U8: Uint8Array } as const;

/** Unlike the product's reader, this one also takes the integers that only references hold. */
function readTensors(file: Buffer): Map<string, ReferenceTensor> {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString()) as Record<
    string,
    { dtype: keyof typeof TYPES; shape: number[]; data_offsets: [number, number] }
  >;
  const bytes = new Uint8Array(file).buffer; // a copy that starts at 0: typed arrays need aligned offsets
  const tensors = new Map<string, ReferenceTensor>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const slice = bytes.slice(8 + length + offsets[0], 8 + length + offsets[1]);
    tensors.set(name, { shape, data: new TYPES[dtype](slice) });
  }
  return tensors;
}
