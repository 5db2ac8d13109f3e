/**
 * Preloaded into a service (`node --import`): its model becomes one that costs no time and knows every sample by its id, so that what is left is
 * the cost of streams and services. The S-VLM, told by the folder's name, is wrong about one sample in 5,000. Garbage is collected now and then, for
 * V8 leaves a hundred megabytes of it lying about, and the more the longer it works: the memory that is watched would tell of nothing else.
 */
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { VisionModel, type LoadOptions, type SignalKind } from '@mpa/inference';
import { formatAnnotation } from '@mpa/prompts';
import { decodeImage } from '@mpa/vlm';

const SMALL = 'stand-in-small';
const WRONG = 5_000;
const COLLECT_EVERY_MS = 10_000;

type Image = { readonly sampleId: string };
type Question = { readonly image: Image; readonly grid?: number | undefined; readonly steps?: readonly string[] };

class StandInModel {
  readonly gives: ReadonlySet<SignalKind> = new Set(['confidence', 'attention']);
  readonly parallel = 1;

  constructor(readonly id: string) {}

  async forRun(): Promise<this> {
    return this;
  }

  async load({ source }: { source: { case?: string; value?: unknown } }, options: LoadOptions): Promise<Image> {
    await decodeImage(await options.images.read(String(source.value), options));
    return { sampleId: options.sampleId };
  }

  async look(images: readonly Image[]): Promise<readonly Image[]> {
    return images;
  }

  async answer(questions: readonly Question[], asking?: { purpose: string }): Promise<{ text: string }[]> {
    return questions.map(({ image: { sampleId } }) => {
      const digest = createHash('sha256').update(sampleId).digest().readUInt32BE();
      const answer = `number ${digest % 1000}`;
      if (asking?.purpose === 'annotate') {
        return { text: formatAnnotation({ question: `Which number stands on sample ${sampleId}?`, answer }) };
      }
      return { text: this.id === SMALL && digest % WRONG === 0 ? 'no number' : answer };
    });
  }

  async examine(questions: readonly Question[]): Promise<object[]> {
    return questions.map(({ grid }) => ({
      logProbability: -1,
      ...(grid !== undefined && { attention: new Array<number>(grid ** 2).fill(1 / grid ** 2) }),
    }));
  }

  async inTurn<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
    return { result: await work(), seconds: 0 };
  }

  async close(): Promise<void> {}
}

VisionModel.open = async ({ checkpoint }) => new StandInModel(checkpoint) as unknown as VisionModel;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
setInterval(collect, COLLECT_EVERY_MS).unref();
