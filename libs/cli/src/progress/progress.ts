import { duration } from '@mpa/console';
import { MultiBar, type SingleBar } from 'cli-progress';

/** Shows what a command is doing, on the error stream: bars on a terminal, lines in a log. */
export interface Progress {
  /** Says something once. */
  note(text: string): void;
  /** Starts a stage of `total` things, `done` of them from an earlier run. */
  stage(label: string, total: number, done?: number): Stage;
  /** Ends whatever is shown. */
  close(): void;
}

/** A stage in progress. */
export interface Stage {
  /** Sets how many are done, and what else there is to say (a loss, a count). */
  update(done: number, about?: string): void;
  /** Changes how many there are. */
  resize(total: number): void;
  end(): void;
}

/** Seconds between two lines of a stage in a log. */
const LINE_EVERY = 5;

/**
 * Progress on `stream`, with the rate since the stage began and the time left at that rate.
 *
 * @param now seconds on a clock that never goes back
 */
export function openProgress(stream: NodeJS.WriteStream, now: () => number = monotonicSeconds): Progress {
  return stream.isTTY ? barProgress(stream, now) : lineProgress(stream, now);
}

function monotonicSeconds(): number {
  return performance.now() / 1000;
}

function lineProgress(stream: NodeJS.WriteStream, now: () => number): Progress {
  const say = (text: string): void => void stream.write(`${text}\n`);
  return {
    note: say,
    stage(label, total, done = 0) {
      const pace = startPace(total, done, now);
      let said = now();
      let last = '';
      let shown = '';
      const line = (): void => {
        const text = `${label}: ${pace.done}/${pace.total}${pace.words()}${last && `, ${last}`}`;
        said = now();
        if (text !== shown) say((shown = text));
      };
      if (done > 0) say(`${label}: ${done} of ${total} were done before`);
      return {
        update(count, about = '') {
          pace.done = count;
          last = about;
          if (now() - said >= LINE_EVERY) line();
        },
        resize(count) {
          pace.total = count;
        },
        end: line,
      };
    },
    close: () => undefined,
  };
}

function barProgress(stream: NodeJS.WriteStream, now: () => number): Progress {
  const bars = new MultiBar({
    stream,
    format: '{label} {bar} {value}/{total}{words}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    gracefulExit: false,
    forceRedraw: true,
  });
  return {
    note: (text) => bars.log(`${text}\n`),
    stage(label, total, done = 0) {
      const pace = startPace(total, done, now);
      const bar: SingleBar = bars.create(total, done, { label: label.padEnd(10), words: '' });
      const show = (about: string): void => bar.update(pace.done, { words: pace.words() + (about && `, ${about}`) });
      return {
        update(count, about = '') {
          pace.done = count;
          show(about);
        },
        resize(count) {
          pace.total = count;
          bar.setTotal(count);
        },
        end: () => {
          bars.update();
          bar.stop();
        },
      };
    },
    close: () => bars.stop(),
  };
}

interface Pace {
  done: number;
  total: number;
  /** `, 3.1/s, 1m20s left`. */
  words(): string;
}

function startPace(total: number, before: number, now: () => number): Pace {
  const started = now();
  return {
    done: before,
    total,
    words() {
      const [made, seconds] = [this.done - before, now() - started];
      if (made <= 0 || seconds <= 0) return '';
      const rate = made / seconds;
      const left = this.done < this.total ? `${duration((this.total - this.done) / rate)} left` : duration(seconds);
      return `, ${rate >= 10 ? rate.toFixed(0) : rate.toFixed(rate >= 1 ? 1 : 2)}/s, ${left}`;
    },
  };
}
