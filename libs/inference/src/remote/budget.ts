import { TeacherError } from '../teacher.js';
import type { EndpointConfig } from './endpoint-config.js';
import { costOf, type Usage } from './usage.js';

/** Tokens of one HTTP request. */
export type Tokens = Pick<Usage, 'inputTokens' | 'outputTokens'>;

/**
 * Keeps a run within its budget. Requests are counted as they go out. Tokens are known afterwards only: every request that is out
 * is taken to need as many as the largest so far, so that the limit is passed by no more than a request larger than all before.
 */
export class Budget {
  #requests: number;
  #used: Tokens;
  #largest: Tokens;
  #out = 0;

  /** @param before what earlier sessions of the run used, and the tokens of their largest request */
  constructor(
    private readonly config: Pick<EndpointConfig, 'budget' | 'prices'>,
    before: { readonly usage: Usage; readonly largest: Tokens },
  ) {
    this.#requests = before.usage.requests;
    this.#used = before.usage;
    this.#largest = before.largest;
  }

  /** Takes one request out of the budget; the function returned is told what it used. Throws TeacherError `budget`. */
  take(): (tokens: Tokens) => void {
    const { budget, prices } = this.config;
    const expected = plus(this.#used, times(this.#largest, this.#out + 1));
    const isOver = (limit: number | undefined, of: (tokens: Tokens) => number): boolean =>
      limit !== undefined && (of(this.#used) >= limit || of(expected) > limit);
    if (this.#requests >= (budget.requests ?? Infinity)) throw this.#usedUp(`${budget.requests} requests`, 'requests');
    if (isOver(budget.tokens, sum)) throw this.#usedUp(`${budget.tokens} tokens`, 'tokens');
    if (prices && isOver(budget.cost, (tokens) => costOf(tokens, prices))) throw this.#usedUp(`${budget.cost}`, 'cost');
    this.#requests += 1;
    this.#out += 1;
    return (used) => {
      this.#out -= 1;
      this.#used = plus(this.#used, used);
      this.#largest = {
        inputTokens: Math.max(this.#largest.inputTokens, used.inputTokens),
        outputTokens: Math.max(this.#largest.outputTokens, used.outputTokens),
      };
    };
  }

  #usedUp(what: string, kind: 'requests' | 'tokens' | 'cost'): TeacherError {
    const { inputTokens, outputTokens } = this.#used;
    const { prices } = this.config;
    const cost = prices ? `, cost ${costOf(this.#used, prices).toPrecision(3)}` : '';
    const so = `${this.#requests} requests, ${inputTokens} input and ${outputTokens} output tokens${cost}`;
    const message = `the budget of ${what} is used up (so far ${so}); nothing is lost: go on with a larger --max-${kind}`;
    return new TeacherError('budget', message);
  }
}

function sum({ inputTokens, outputTokens }: Tokens): number {
  return inputTokens + outputTokens;
}

function plus(a: Tokens, b: Tokens): Tokens {
  return { inputTokens: a.inputTokens + b.inputTokens, outputTokens: a.outputTokens + b.outputTokens };
}

function times({ inputTokens, outputTokens }: Tokens, by: number): Tokens {
  return { inputTokens: inputTokens * by, outputTokens: outputTokens * by };
}
