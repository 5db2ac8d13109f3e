import { areaShares, charactersOf, confidenceGap, perCharacter } from '@mpa/alignment';
import type { Decision, Signals } from '@mpa/contracts';
import { answerPrompt } from '@mpa/prompts';
import type { PromptAndAnswer } from '@mpa/tensorflow';
import { answerParts } from '@mpa/vlm';
import type { ProcessedImage, Processor } from '@mpa/vlm';
import type { Aim } from './aligned-sample.js';
import type { Coefficients } from './alignment-loss.js';

/** A turn of a sample and what it is for. */
export interface AimedTurn extends PromptAndAnswer {
  readonly aim: Aim;
}

/**
 * The turns of the questions on one image, the answers first: with n-best answers, attention and rationale where a coefficient asks for
 * them and the decision has them.
 */
export function aimedTurns(
  decisions: readonly Decision[],
  image: ProcessedImage,
  processor: Processor,
  { confidence, attention, reasoning }: Coefficients,
): AimedTurn[] {
  const prompt = (text: string): Int32Array =>
    processor.prompt([{ role: 'user', content: [{ type: 'image' }, { type: 'text', text }] }], [image]);
  const answers = decisions.map(({ question, answer, signals }): AimedTurn => {
    const aim = { kind: 'answer', attention: attention > 0 ? attentionAim(signals, image, processor) : undefined } as const; // prettier-ignore
    return { prompt: prompt(answerPrompt(question)), answer: processor.answer(answer), aim };
  });
  const ranked = decisions.flatMap(({ question, signals }, at) =>
    (confidence > 0 ? rankedAims(signals?.nBest ?? [], at) : []).map(({ text, aim }): AimedTurn => {
      return { prompt: prompt(answerPrompt(question)), answer: processor.answer(text), aim };
    }),
  );
  const rationales = decisions.flatMap(({ signals, studentSignals }): AimedTurn[] => {
    if (!(reasoning > 0) || !signals || signals.rationale.length === 0) return [];
    const { ids, parts } = answerParts(processor, signals.rationale.map(({ text }) => text)); // prettier-ignore
    const gaps = stepGaps(signals, studentSignals);
    const aim = { kind: 'rationale', weights: Float32Array.from(parts, (part) => gaps[part]!) } as const;
    return [{ prompt: prompt(signals.rationalePrompt), answer: ids, aim }];
  });
  return [...answers, ...ranked, ...rationales];
}

/** The n-best answers as a distribution by their log-probabilities per character, so that a long answer counts like a short one. */
function rankedAims(
  nBest: Signals['nBest'],
  question: number,
): { readonly text: string; readonly aim: Extract<Aim, { kind: 'ranked' }> }[] {
  const odds = nBest.map(({ text, logProbability }) => Math.exp(perCharacter(logProbability, text)));
  const total = odds.reduce((a, b) => a + b, 0);
  return nBest.map(({ text }, i) => ({
    text,
    aim: { kind: 'ranked', question, probability: odds[i]! / total, characters: charactersOf(text) },
  }));
}

function attentionAim(
  signals: Signals | undefined,
  image: ProcessedImage,
  processor: Processor,
): Extract<Aim, { kind: 'answer' }>['attention'] {
  if (!signals?.attention) return undefined;
  const { grid, cells } = signals.attention;
  return { cells, shares: areaShares(processor.regions(image), grid) };
}

/** How far the S-VLM is behind at each step of the rationale; all the way where it was not asked. */
function stepGaps({ rationale }: Signals, student: Signals | undefined): number[] {
  return rationale.map(({ text, logProbability }, i) => {
    const own = student?.rationale[i];
    if (!own) return 1;
    return confidenceGap(perCharacter(logProbability, text), perCharacter(own.logProbability, text));
  });
}
