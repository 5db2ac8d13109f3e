import {
  AdamW,
  collate,
  crossEntropy,
  disposeLayout,
  IGNORED,
  layOut,
  lossAndGradients,
  Parameters,
  TensorModel,
  tf,
} from '@mpa/tensorflow';
import type { BatchLayout, Tensor, TrainingSample } from '@mpa/tensorflow';
import type { Checkpoint } from '@mpa/vlm';
import { close } from './check.js';
import type { Check } from './check.js';
import type { OracleFolder, ReferenceCase } from './oracle-folder.js';
import { storedImages } from './stored-images.js';

type Model = TensorModel<unknown>;

/** Forward pass, gradients and training steps of every case on the TensorFlow backend that is loaded. */
export async function* tensorflowChecks(folder: OracleFolder, checkpoint: Checkpoint): AsyncGenerator<Check> {
  for (const [k, reference] of folder.reference.cases.entries()) {
    const samples = await teacherForced(folder, checkpoint, k);
    const layout = layOut(collate(samples, checkpoint.shape), checkpoint.shape);
    const name = `case ${k} ${reference.name}`;
    const full = newModel(checkpoint, new Parameters(checkpoint.weights, { kind: 'full' }, () => 0));
    yield* forwardChecks(folder, k, full, layout, `${name}: tensorflow`);
    yield* gradientChecks(folder, k, checkpoint, full, layout, `${name}: tensorflow`);
    yield* adamwChecks(folder, k, checkpoint, full, layout, `${name}: tensorflow`);
    full.parameters.dispose();
    yield* loraChecks(folder, k, checkpoint, layout, `${name}: tensorflow`);
    disposeLayout(layout);
  }
}

function newModel(checkpoint: Checkpoint, parameters: Parameters): Model {
  return new TensorModel(checkpoint.family, checkpoint.config, parameters);
}

/** The samples of a case with their answers, without padding. */
async function teacherForced(folder: OracleFolder, checkpoint: Checkpoint, k: number): Promise<TrainingSample[]> {
  const images = await storedImages(folder, checkpoint, k);
  const [ids, labels, mask] = ['input_ids', 'labels', 'attention_mask'].map((n) => folder.tensor(`case${k}.tf.${n}`));
  const length = ids!.shape[1]!;
  return folder.reference.cases[k]!.samples.map((_, b) => {
    const real = Array.from({ length }, (__, t) => b * length + t).filter((i) => mask!.data[i] === 1);
    return {
      ids: Int32Array.from(real, (i) => ids!.data[i]!),
      labels: Int32Array.from(real, (i) => labels!.data[i]!),
      images: images[b]!,
    };
  });
}

function* forwardChecks(
  folder: OracleFolder,
  k: number,
  model: Model,
  layout: BatchLayout,
  name: string,
): Generator<Check> {
  const stored = (tensor: string): ArrayLike<number> => folder.tensor(`case${k}.${tensor}`).data;
  const lastLayer = model.shape.textLayers - 1;
  const result = tf.tidy(() => {
    const features = model.imageFeatures(layout);
    let attention: Tensor | undefined;
    const hidden = model.hidden(layout, features, (layer, probabilities) => {
      if (layer === lastLayer) attention = probabilities.mean(1);
    });
    return {
      features: features!.dataSync(),
      logits: model.head(hidden).dataSync(),
      logProbabilities: model.targetLogProbabilities(layout, hidden).dataSync(),
      attention: attention!.dataSync(),
    };
  });
  yield close(`${name} image features`, result.features, stored('image_features'), 3e-5);
  const [batch = 0, length = 0] = layout.ids.shape;
  yield close(`${name} logits`, promptLogits(folder, k, result.logits, length), promptLogits(folder, k), 1e-4);
  const labels = folder.tensor(`case${k}.tf.labels`).data;
  const expected = Array.from(stored('tf.token_logprobs')).filter((_, i) => labels[i] !== IGNORED);
  yield close(`${name} answer log-probabilities`, result.logProbabilities, expected, 1e-4);
  const rows = folder.tensor(`case${k}.tf.attention_rows`);
  const maps = Array.from({ length: rows.shape[0]! }, (_, r) => {
    const at = (rows.data[2 * r]! * length + rows.data[2 * r + 1]!) * length;
    return Array.from(result.attention.subarray(at, at + length));
  }).flat();
  yield close(`${name} attention (${batch} samples)`, maps, stored('tf.attention_last_layer'), 5e-6);
}

/**
 * Logits of the prompt tokens, without padding: from the recorded left-padded [B, S, V], or from our right-padded
 * [B, T, V] with answers, whose prompt rows do not depend on what follows.
 */
function promptLogits(folder: OracleFolder, k: number, ours?: ArrayLike<number>, length = 0): Float32Array {
  const recorded = folder.tensor(`case${k}.logits`);
  const mask = folder.tensor(`case${k}.attention_mask`);
  const [batch = 0, tokens = 0, vocabulary = 0] = recorded.shape;
  const rows: number[] = [];
  for (let b = 0; b < batch; b++) {
    let seen = 0;
    for (let t = 0; t < tokens; t++) {
      if (mask.data[b * tokens + t] !== 1) continue;
      rows.push(ours ? b * length + seen : b * tokens + t);
      seen++;
    }
  }
  const source = ours ?? recorded.data;
  const picked = new Float32Array(rows.length * vocabulary);
  rows.forEach((row, i) => {
    for (let v = 0; v < vocabulary; v++) picked[i * vocabulary + v] = source[row * vocabulary + v]!;
  });
  return picked;
}

function loss(model: Model, layout: BatchLayout): Tensor {
  const hidden = model.hidden(layout, model.imageFeatures(layout));
  return crossEntropy(model.targetLogProbabilities(layout, hidden), layout.targets.weights);
}

/** Its gradient is zero in exact arithmetic, so what float32 makes of it is noise, and AdamW turns noise into steps. */
const isNoise = (name: string): boolean => /vision.*k_proj\.bias$/.test(name);

function* gradientChecks(
  folder: OracleFolder,
  k: number,
  { family }: Checkpoint,
  model: Model,
  layout: BatchLayout,
  name: string,
): Generator<Check> {
  const reference = folder.reference.cases[k]!;
  const { value, gradients } = lossAndGradients(model.parameters, () => loss(model, layout));
  yield close(`${name} loss`, value.dataSync(), [reference.loss], 2e-5);
  let worst: Check = { name: `${name} gradient norms`, difference: 0, tolerance: 1e-4 };
  let elements: Check = { name: `${name} gradient elements`, difference: 0, tolerance: 1e-4 };
  for (const [parameter, norm] of Object.entries(reference.grad_norms)) {
    if (isNoise(parameter)) continue;
    const gradient = gradients.get(family.weightName(parameter));
    if (norm === null || !gradient) {
      if (norm !== null || gradient)
        worst = { ...worst, difference: Infinity, detail: `${parameter}: gradient expected ${norm}` };
      continue;
    }
    const scale = Math.max(norm, 1e-2); // 1e-4 of it is the absolute floor of 1e-6
    const values = gradient.dataSync();
    const ours = Math.sqrt(sumOf(values, (x) => x * x));
    worst = larger(worst, Math.abs(ours - norm) / scale, parameter);
    const recorded = `case${k}.grad.${parameter}`;
    if (folder.tensorNames.includes(recorded)) {
      const { difference } = close('', values, folder.tensor(recorded).data, 0);
      elements = larger(elements, difference / scale, parameter);
    }
  }
  yield worst;
  yield elements;
  tf.dispose([value, ...gradients.values()]);
}

function sumOf(values: ArrayLike<number>, term: (x: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += term(values[i]!);
  return sum;
}

function larger(check: Check, difference: number, detail: string): Check {
  return difference > check.difference ? { ...check, difference, detail: `largest at ${detail}` } : check;
}

function* trainingSteps(
  model: Model,
  layout: BatchLayout,
  optimizer: AdamW,
  steps: number,
  rate: number,
): Generator<number> {
  for (let step = 0; step < steps; step++) {
    const { value, gradients } = lossAndGradients(model.parameters, () => loss(model, layout));
    yield value.dataSync()[0]!;
    optimizer.step(gradients, rate);
    tf.dispose([value, ...gradients.values()]);
  }
  yield tf.tidy(() => loss(model, layout).dataSync()[0]!);
}

function* adamwChecks(
  folder: OracleFolder,
  k: number,
  { family }: Checkpoint,
  model: Model,
  layout: BatchLayout,
  name: string,
): Generator<Check> {
  const settings = folder.reference.adamw;
  const { adamw, noise }: ReferenceCase = folder.reference.cases[k]!;
  const options = { betas: settings.betas, epsilon: settings.eps, weightDecay: settings.weight_decay };
  const optimizer = new AdamW(model.parameters, options);
  const losses = [...trainingSteps(model, layout, optimizer, settings.steps, settings.lr)];
  yield close(`${name} AdamW losses`, losses, [...adamw.losses, adamw.loss_after], 1e-3);
  let sums: Check = { name: `${name} AdamW parameter sums`, difference: 0, tolerance: 5e-3 };
  let norms: Check = { name: `${name} AdamW parameter norms`, difference: 0, tolerance: 1e-4 };
  for (const [parameter, expected] of Object.entries(adamw.params)) {
    if (noise.adamw_unstable.includes(parameter) || isNoise(parameter)) continue;
    const values = model.parameters.read(family.weightName(parameter));
    sums = larger(sums, Math.abs(sumOf(values, (x) => x) - expected.sum), parameter);
    norms = larger(norms, Math.abs(Math.sqrt(sumOf(values, (x) => x * x)) - expected.l2), parameter);
  }
  yield sums;
  yield norms;
  optimizer.dispose();
}

function* loraChecks(
  folder: OracleFolder,
  k: number,
  checkpoint: Checkpoint,
  layout: BatchLayout,
  name: string,
): Generator<Check> {
  const { lora, adamw, cases } = folder.reference;
  const modules = lora.modules.map((module) => checkpoint.family.weightName(module));
  const parameters = new Parameters(
    checkpoint.weights,
    { kind: 'lora', rank: lora.r, alpha: lora.lora_alpha, modules },
    () => 0,
  );
  lora.modules.forEach((module, i) => {
    const { data, shape } = folder.tensor(`lora_init.${module}.A`);
    parameters.assign(`${modules[i]!}.lora_A`, tf.tensor(data, [...shape]));
  });
  const model = newModel(checkpoint, parameters);
  const optimizer = new AdamW(parameters, { betas: adamw.betas, epsilon: adamw.eps, weightDecay: adamw.weight_decay });
  const losses = [...trainingSteps(model, layout, optimizer, adamw.steps, adamw.lr)];
  const expected = cases[k]!.lora;
  yield close(`${name} LoRA losses`, losses, [...expected.losses, expected.loss_after], 1e-5);
  let matrices: Check = { name: `${name} LoRA matrices`, difference: 0, tolerance: 5e-5 };
  lora.modules.forEach((module, i) => {
    for (const side of ['A', 'B']) {
      const ours = parameters.get(`${modules[i]!}.lora_${side}`).dataSync();
      const { difference } = close('', ours, folder.tensor(`case${k}.lora.${module}.${side}`).data, 0);
      matrices = larger(matrices, difference, `${module}.${side}`);
    }
  });
  yield matrices;
  optimizer.dispose();
  parameters.dispose();
}
