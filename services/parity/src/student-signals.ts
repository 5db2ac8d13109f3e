import { amongThese, perCharacter } from '@mpa/alignment';
import type { ModelSignals } from '@mpa/alignment';
import type { MessageInitShape, Signals, SignalsSchema } from '@mpa/contracts';
import type { SeenImage, VisionModel } from '@mpa/inference';
import { answerPrompt } from '@mpa/prompts';

/** A question with the L-VLM's answer, and what the L-VLM told of it. */
export interface Signalled {
  readonly image: SeenImage;
  readonly question: string;
  readonly answer: string;
  readonly teacher: Signals;
}

type SignalFields = Exclude<MessageInitShape<typeof SignalsSchema>, Signals>;

/**
 * The S-VLM's signals of the L-VLM's answers, n-best answers and rationales: just those that the L-VLM sent, each scored by
 * the S-VLM's own tokens, on its own patches. At most two runs of the model.
 */
export async function studentSignals(model: VisionModel, samples: readonly Signalled[]): Promise<SignalFields[]> {
  const told = samples.flatMap(({ image, question, answer, teacher }, sample) => {
    const common = { sample, image, text: answerPrompt(question) };
    const own = wantsAnswer(teacher) ? [{ ...common, answer, grid: teacher.attention?.grid }] : [];
    return [...own, ...teacher.nBest.map((ranked) => ({ ...common, answer: ranked.text }))];
  });
  const examined = told.length === 0 ? [] : await model.examine(told);
  const explained = samples.flatMap(({ image, teacher: { rationale, rationalePrompt: text } }, sample) =>
    rationale.length === 0 ? [] : [{ sample, image, text, steps: rationale.map((step) => step.text) }],
  );
  const paths = explained.length === 0 ? [] : await model.scoreSteps(explained);

  return samples.map(({ answer, teacher }, i): SignalFields => {
    const own = examined.filter((_, at) => told[at]!.sample === i);
    const ofAnswer = wantsAnswer(teacher) ? own.shift() : undefined;
    const probabilities = amongThese(own.map(({ logProbability }) => logProbability));
    const path = paths[explained.findIndex(({ sample }) => sample === i)];
    return {
      ...(teacher.answerLogProbabilityPerCharacter !== undefined && {
        answerLogProbabilityPerCharacter: perCharacter(ofAnswer!.logProbability, answer),
      }),
      ...(teacher.attention && { attention: { grid: teacher.attention.grid, cells: [...ofAnswer!.attention!] } }),
      nBest: own.map(({ logProbability }, at) => ({
        text: teacher.nBest[at]!.text,
        logProbability,
        probability: probabilities[at]!,
      })),
      rationale: teacher.rationale.map(({ text }, at) => ({ text, logProbability: path![at]! })),
    };
  });
}

function wantsAnswer({ answerLogProbabilityPerCharacter, attention }: Signals): boolean {
  return answerLogProbabilityPerCharacter !== undefined || attention !== undefined;
}

/** Signals of a record as the measures take them. */
export function measured({ answerLogProbabilityPerCharacter, nBest, attention, rationale }: Signals): ModelSignals {
  return {
    answer: answerLogProbabilityPerCharacter,
    nBest: nBest.length > 0 ? nBest.map(({ logProbability }) => logProbability) : undefined,
    attention: attention?.cells,
    rationale:
      rationale.length > 0
        ? rationale.map(({ text, logProbability }) => perCharacter(logProbability, text))
        : undefined,
  };
}
