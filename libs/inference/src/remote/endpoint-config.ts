import { z } from 'zod';

const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable, not a key');

/** Most that an endpoint may be asked over a run; what is left out has no limit. */
const budgetConfig = z.strictObject({
  /** HTTP requests, repetitions included. */
  requests: z.int().positive().optional(),
  /** Tokens, input and output together, as the endpoint counts them. */
  tokens: z.int().positive().optional(),
  /** In the currency of the prices. */
  cost: z.number().positive().optional(),
});

const isPriced = ({
  budget,
  prices,
}: {
  budget: { cost?: number | undefined };
  prices?: object | undefined;
}): boolean => budget.cost === undefined || prices !== undefined;

const fields = z.strictObject({
  /** What comes before `/chat/completions`. */
  url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).refine(hasNoPassword, {
    error: 'must not hold a password: a key comes from an environment variable (keyVariable)',
  }),
  /** The server's name of the model. */
  model: z.string().min(1),
  /** Environment variable that holds the key; `OPENAI_API_KEY` if left out, which need not be there. */
  keyVariable: variableName.optional(),
  /** Most tokens of an answer. */
  maxNewTokens: z.int().positive().default(256),
  images: z
    .strictObject({
      /**
       * Pixels of the longer side; larger images are scaled down to it. Vendors scale down to about as much themselves, and what is
       * sent beyond only costs time, and money where tokens go by size.
       */
      longestSide: z.int().min(16).default(2048),
      /** Whether an image that has an http(s) URI is sent as that URI, for the server to fetch; else its bytes are sent. */
      byUrl: z.boolean().default(false),
    })
    .prefault({}),
  budget: budgetConfig.prefault({}),
  /** For a million tokens; in whatever currency. */
  prices: z.strictObject({ input: z.number().min(0), output: z.number().min(0) }).optional(),
  traffic: z
    .strictObject({
      /** Requests at once: it begins with `first`, and goes up and down with what the server bears. */
      first: z.int().positive().default(4),
      most: z.int().positive().default(32),
      /** Seconds that one request may take; `fetch` itself gives up after 300. */
      timeout: z.number().positive().max(300).default(120),
      /** Times that a request is sent, at most, before it counts as failed. */
      attempts: z.int().positive().default(6),
      /** Seconds of the first pause between them, at most; it doubles, and is drawn between 0 and that. */
      pause: z.number().positive().default(0.5),
      /** Seconds of the longest pause; a server that asks for a longer one ends the run. */
      longestPause: z.number().positive().default(60),
    })
    .prefault({}),
});

const unpriced = { path: ['prices'], error: 'a limit of cost needs prices: input and output, for a million tokens' };

/** A model behind a server that speaks OpenAI's chat completions; a part of a service's configuration. */
export const endpointConfig = fields.refine(isPriced, unpriced);

/** The same for a service whose requests name the model, as `URL#MODEL`. */
export const endpointSettings = fields.omit({ url: true, model: true, maxNewTokens: true }).refine(isPriced, unpriced);

/** See {@link endpointConfig}. */
export type EndpointConfig = z.output<typeof endpointConfig>;

function hasNoPassword(url: string): boolean {
  const { username, password } = new URL(url);
  return username === '' && password === '';
}
