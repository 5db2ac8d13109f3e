import { loadModel } from '@mpa/onnx';
import type { KernelSet, OnnxModel, Prompt } from '@mpa/onnx';
import type { Checkpoint } from '@mpa/vlm';
import { close, equal } from './check.js';
import type { Check } from './check.js';
import type { OracleFolder } from './oracle-folder.js';
import { promptIds } from './processor-checks.js';
import { storedImages } from './stored-images.js';

/**
 * Features, logits, greedy generation, answer log-probabilities and attention of every case on ONNX Runtime's CPU provider, of graphs
 * for these kernels.
 */
export async function* onnxChecks(
  folder: OracleFolder,
  checkpoint: Checkpoint,
  cacheDir: string,
  kernels: KernelSet,
): AsyncGenerator<Check> {
  const model = await loadModel(checkpoint, { cacheDir }, kernels);
  for (const [k, reference] of folder.reference.cases.entries()) {
    const name = `case ${k} ${reference.name}: onnx${kernels === 'cpu' ? '' : ` for ${kernels}`}`;
    const images = await storedImages(folder, checkpoint, k);
    const features = await model.encodeImage(images.flat());
    const flat = Float32Array.from(features.flatMap(({ values }) => [...values]));
    yield close(`${name} image features`, flat, folder.tensor(`case${k}.image_features`).data, 3e-5);
    let next = 0;
    const prompts = images.map((own, b): Prompt => {
      return { ids: promptIds(folder, k, b), images: features.slice(next, (next += own.length)) };
    });
    yield* promptChecks(folder, k, model, prompts, name);
    yield* answerChecks(folder, k, model, prompts, name);
  }
  await model.close();
}

async function* promptChecks(
  folder: OracleFolder,
  k: number,
  model: OnnxModel,
  prompts: readonly Prompt[],
  name: string,
): AsyncGenerator<Check> {
  const recorded = folder.tensor(`case${k}.logits`);
  const mask = folder.tensor(`case${k}.attention_mask`);
  const vocabulary = recorded.shape[2]!;
  const expected = Array.from(mask.data).flatMap((real, i) =>
    real === 1 ? Array.from(recorded.data.subarray(i * vocabulary, (i + 1) * vocabulary)) : [],
  );
  const logits = (await model.logits(prompts)).flatMap((values) => [...values]);
  yield close(`${name} logits`, logits, expected, 1e-4);
  const { new_tokens: tokens } = folder.reference.generation; // end tokens are forbidden all along
  const generated = await model.generate(prompts, { maxNewTokens: tokens, minNewTokens: tokens });
  for (const [b, sample] of folder.reference.cases[k]!.samples.entries()) {
    yield equal(`${name} generated ids, sample ${b} in batch`, generated[b]![0]!.ids, sample.generated_ids);
    const alone = await model.generate([prompts[b]!], { maxNewTokens: tokens, minNewTokens: tokens });
    yield equal(`${name} generated ids, sample ${b} alone`, alone[0]![0]!.ids, sample.generated_ids);
  }
}

async function* answerChecks(
  folder: OracleFolder,
  k: number,
  model: OnnxModel,
  prompts: readonly Prompt[],
  name: string,
): AsyncGenerator<Check> {
  const { samples } = folder.reference.cases[k]!;
  const scored = await model.score(
    prompts.map((prompt, b) => ({ ...prompt, answer: Int32Array.from(samples[b]!.answer_ids), attention: true })),
  );
  const logProbabilities = scored.flatMap(({ logProbs }) => logProbs);
  const expected = samples.flatMap((sample) => sample.answer_logprobs);
  yield close(`${name} answer log-probabilities`, logProbabilities, expected, 1e-4);
  const length = folder.tensor(`case${k}.tf.input_ids`).shape[1]!;
  const maps = scored.flatMap(({ attention }, b) => {
    const columns = prompts[b]!.ids.length + samples[b]!.answer_ids.length;
    const map = attention!.at(-1)!;
    return samples[b]!.answer_ids.flatMap((_, row) => [
      ...map.subarray(row * columns, (row + 1) * columns),
      ...new Array<number>(length - columns).fill(0),
    ]);
  });
  yield close(`${name} attention`, maps, folder.tensor(`case${k}.tf.attention_last_layer`).data, 5e-6);
}
