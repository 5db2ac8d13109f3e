import type { ImageInput } from '@mpa/contracts';
import type { ImageStore } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import type { RgbImage } from '@mpa/vlm';

/** What a teacher is asked for; its costs are told apart by it. */
export type Purpose = 'annotate' | 'self_check' | 'n_best' | 'rationale' | 'answer';

/** What a teacher can tell of its answers, beside the answers. */
export type SignalKind = 'confidence' | 'attention' | 'n_best' | 'rationale';

/** Around a call of a teacher. */
export interface Asking {
  readonly purpose: Purpose;
  /** Ends the call early. */
  readonly signal?: AbortSignal | undefined;
}

/** A user's message: one image, as the teacher has seen it, and the text below it. */
export interface TeacherQuestion<Seen> {
  readonly image: Seen;
  readonly text: string;
}

/** A stretch of a text. */
export interface TokenProbability {
  readonly text: string;
  readonly logProbability: number;
}

/** What a teacher said. */
export interface TeacherAnswer {
  readonly text: string;
  /** Natural logarithm of the probability of its tokens; undefined where the teacher does not tell. */
  readonly logProbability?: number | undefined;
  /** The tokens themselves, of a teacher whose tokens nobody else can score. */
  readonly tokens?: readonly TokenProbability[] | undefined;
}

/** How several answers to each question are drawn. */
export interface Drawing {
  /** Answers to each question. */
  readonly answers: number;
  readonly temperature: number;
  readonly seed: number;
}

/** An answer to be examined, and what the teacher itself said to the same question. */
export interface ExaminedQuestion<Seen> extends TeacherQuestion<Seen> {
  readonly answer: string;
  readonly said: TeacherAnswer;
  /** Cells of a side of the attention map; none when undefined. */
  readonly grid: number | undefined;
}

/** What a teacher makes of an answer; a part that it cannot tell is undefined. */
export interface ExaminedAnswer {
  /** Natural logarithm of the answer's probability. */
  readonly logProbability?: number | undefined;
  /** Share of attention on each cell of the raster, row by row. */
  readonly attention?: readonly number[] | undefined;
}

/** A rationale to be scored by its steps (`steps.join('')`), and what the teacher said when it gave it. */
export interface ExplainedQuestion<Seen> extends TeacherQuestion<Seen> {
  readonly steps: readonly string[];
  readonly said: TeacherAnswer;
}

/**
 * What annotating needs of an L-VLM, whether it is a checkpoint here (`VisionModel`) or behind an endpoint (`RemoteModel`).
 * `Prepared` is an image that was read, `Seen` one that can be asked about. A call about one image that fails by that image's
 * fault throws an error that `imageFault` knows; TeacherError says that no other image would fare better.
 */
export interface Teacher<Prepared, Seen> {
  /** Name for the records. */
  readonly id: string;
  /** Signals that it can give; known once the teacher is `forRun`. */
  readonly gives: ReadonlySet<SignalKind>;
  /** Images that it is asked about at once, each by calls of its own; 1 for a model that takes batches, one after the other. */
  readonly parallel: number;
  /** The teacher for one run, whose log keeps what it said and what that cost. Throws TeacherError when it cannot be asked. */
  forRun(streams: Streams): Promise<Teacher<Prepared, Seen>>;
  /** Reads an image. Throws ImageError or StorageError. */
  load(image: Pick<ImageInput, 'source'>, options: LoadOptions): Promise<Prepared>;
  /** Looks at images, in one batch. */
  look(images: readonly Prepared[]): Promise<Seen[]>;
  /** The likeliest answer to each question. */
  answer(questions: readonly TeacherQuestion<Seen>[], asking: Asking): Promise<TeacherAnswer[]>;
  /** Several drawn answers to each question. */
  sample(questions: readonly TeacherQuestion<Seen>[], drawing: Drawing, asking: Asking): Promise<TeacherAnswer[][]>;
  /** What it makes of given answers. */
  examine(questions: readonly ExaminedQuestion<Seen>[]): Promise<ExaminedAnswer[]>;
  /** Log-probability of each step of a rationale; undefined where it cannot tell. */
  scoreSteps(questions: readonly ExplainedQuestion<Seen>[]): Promise<(readonly number[] | undefined)[]>;
  /** Runs `work` on its turn; resolves to its result and the seconds it took. */
  inTurn<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }>;
  /** Frees what it holds. */
  close(): Promise<void>;
}

/** How an image is read. */
export interface LoadOptions {
  /** Under which the teacher keeps what it says about the image. */
  readonly sampleId: string;
  /** Where images with a URI are read from. */
  readonly images: ImageStore;
  readonly signal?: AbortSignal | undefined;
  /** Told what was read, unless the teacher is left to fetch the image itself. */
  readonly onRead?: ((bytes: Uint8Array, decoded: RgbImage) => void) | undefined;
}

/** Why a teacher cannot be asked about one image, while it can about others. */
export class TeacherFault extends Error {
  override readonly name = 'TeacherFault';

  /** @param reason stable name to count by */
  constructor(
    readonly reason: 'content-filter' | 'teacher-refused' | 'teacher-failed' | 'unusable-reply',
    message: string,
  ) {
    super(message);
  }
}

/**
 * A teacher cannot be asked any more: it refuses or fails whatever is asked (`unavailable`), cannot do what is wanted (`unfit`),
 * the budget is used up (`budget`), or it runs here and needs a new process (`broken`), which a student may too. Nothing is
 * lost; the message says what to do.
 */
export class TeacherError extends Error {
  override readonly name = 'TeacherError';

  constructor(
    readonly kind: 'unavailable' | 'unfit' | 'budget' | 'broken',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
