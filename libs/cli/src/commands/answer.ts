import { join } from 'node:path';
import { endpointConfig, endpointKey, endpointNamed, isEndpoint, RemoteModel } from '@mpa/inference';
import { loadModel, type Precision } from '@mpa/onnx';
import { checkConfig } from '@mpa/service-kit';
import { ImageStore } from '@mpa/storage';
import { decodeImage, openCheckpoint } from '@mpa/vlm';
import { Option, type Command } from 'commander';
import { UsageError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { numberBetween, wholeNumber } from '../option-values.js';

interface AnswerFlags {
  readonly model: string;
  readonly image: string;
  readonly question: string;
  readonly precision: Precision;
  readonly n: number;
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
  readonly maxTokens: number;
  readonly json?: boolean;
}

/** One answer of `mpa answer`. */
interface GivenAnswer {
  readonly answer: string;
  /** Natural logarithm of the probability of all its tokens; an endpoint may not tell it. */
  readonly logProbability?: number | undefined;
}

/** `mpa answer`: one question about one image. */
export function addAnswer(program: Command, context: CommandContext): void {
  program
    .command('answer')
    .description('ask a model a question about an image')
    .requiredOption('--model <model>', 'Hugging Face checkpoint folder, or URL#MODEL of an OpenAI-compatible endpoint')
    .requiredOption('--image <file>', 'image file')
    .requiredOption('--question <text>', 'question about it')
    .addOption(
      new Option('--precision <precision>', 'how weights are stored')
        .choices(['float32', 'int8', 'int4'])
        .default('float32'),
    )
    .option('--n <n>', 'number of answers; more than one needs a temperature', wholeNumber(1), 1)
    .option('--temperature <t>', '0 takes the likeliest token', numberBetween(0, Infinity), 0)
    .option('--top-p <p>', 'draw from the likeliest tokens of this probability', numberBetween(0, 1), 1)
    .option('--seed <n>', 'seed of the draws', wholeNumber(0), 0)
    .option('--max-tokens <n>', 'most tokens of an answer', wholeNumber(1), 64)
    .option('--json', 'print the answer as one JSON object')
    .action((flags: AnswerFlags) => answer(flags, context));
}

async function answer(flags: AnswerFlags, { out, cacheDirectory, env }: CommandContext): Promise<void> {
  if (flags.n > 1 && flags.temperature === 0) {
    throw new UsageError('--n above 1 needs a --temperature above 0, or all answers would be the same');
  }
  if (flags.topP === 0) throw new UsageError('--top-p must be above 0');
  const { answers, seconds } = isEndpoint(flags.model)
    ? await askEndpoint(flags, env)
    : await ask(flags, join(cacheDirectory, 'graphs'));
  const [first] = answers;
  if (flags.json) {
    out(JSON.stringify({ ...first, seconds, ...(flags.n > 1 ? { answers } : {}) }));
    return;
  }
  for (const given of answers) out(given.answer);
  const logProbabilities = answers.map((given) => given.logProbability?.toFixed(4) ?? 'not told').join(', ');
  out(`log-probability ${logProbabilities}; ${seconds.toFixed(3)} s`);
}

async function ask(
  { model: dir, image, question, precision, ...sampling }: AnswerFlags,
  cacheDir: string,
): Promise<{ answers: GivenAnswer[]; seconds: number }> {
  const checkpoint = await openCheckpoint(dir);
  try {
    const pixels = await decodeImage(image);
    const model = await loadModel(checkpoint, { precision, cacheDir });
    try {
      const started = performance.now();
      const { processor } = checkpoint;
      const processed = processor.image(pixels);
      const content = [{ type: 'image' }, { type: 'text', text: question }] as const;
      const ids = processor.prompt([{ role: 'user', content }], [processed]);
      const [generated] = await model.generate([{ ids, images: await model.encodeImage([processed]) }], {
        maxNewTokens: sampling.maxTokens,
        temperature: sampling.temperature,
        topP: sampling.topP,
        seed: sampling.seed,
        answers: sampling.n,
      });
      const answers = generated!.map((one) => ({
        answer: processor.decode(one.ids).trim(),
        logProbability: one.logProbs.reduce((sum, value) => sum + value, 0),
      }));
      return { answers, seconds: (performance.now() - started) / 1000 };
    } finally {
      await model.close();
    }
  } finally {
    checkpoint.close();
  }
}

async function askEndpoint(
  { model: name, image: file, question: text, n, temperature, seed, maxTokens, topP }: AnswerFlags,
  env: CommandContext['env'],
): Promise<{ answers: GivenAnswer[]; seconds: number }> {
  if (topP < 1) throw new UsageError('--top-p is for checkpoints; an endpoint is asked without it');
  const config = checkConfig({ ...endpointNamed(name), maxNewTokens: maxTokens }, endpointConfig, name);
  const model = new RemoteModel(config, endpointKey(config, env));
  try {
    const started = performance.now();
    const image = await model.load(
      { source: { case: 'uri', value: file } },
      { images: new ImageStore(), sampleId: '' },
    );
    const asking = { purpose: 'answer' } as const;
    const [answers] =
      temperature === 0
        ? [await model.answer([{ image, text }], asking)]
        : await model.sample([{ image, text }], { answers: n, temperature, seed }, asking);
    const given = answers!.map(({ text: answer, logProbability }) => ({ answer, logProbability }));
    return { answers: given, seconds: (performance.now() - started) / 1000 };
  } finally {
    await model.close();
  }
}
