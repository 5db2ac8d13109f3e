import { readFileSync } from 'node:fs';

const EVERY_MS = 2_000;
/** Clock ticks of /proc in a second, on every Linux. */
const TICKS = 100;

interface Look {
  readonly progress: number;
  readonly bytes: number;
}

/** Memory and CPU time of processes over the course of a job, as Linux tells. */
export class ProcessWatch {
  readonly #looks = new Map<string, Look[]>();
  readonly #cpu = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  /**
   * @param processes ids by name
   * @param progress share of the job that is done, from 0 to 1
   */
  constructor(
    private readonly processes: Readonly<Record<string, number>>,
    private readonly progress: () => number,
  ) {
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * The least bytes that a process had while the job's progress was in a stretch, which is what it needs: the rest is what it has not
   * given back yet. NaN when it was not looked at then. What a file backs is left out: the log's pages, which the system takes back when it likes.
   */
  least(name: string, from: number, to: number): number {
    const looks = (this.#looks.get(name) ?? []).filter(({ progress }) => progress >= from && progress < to);
    return looks.length === 0 ? NaN : Math.min(...looks.map(({ bytes }) => bytes));
  }

  /** CPU seconds of a process until it was last looked at. */
  cpuSeconds(name: string): number {
    return this.#cpu.get(name) ?? NaN;
  }

  #look(): void {
    for (const [name, pid] of Object.entries(this.processes)) {
      const look = lookAt(pid);
      if (!look) continue;
      this.#cpu.set(name, look.cpuSeconds);
      this.#looks.set(name, [...(this.#looks.get(name) ?? []), { progress: this.progress(), bytes: look.bytes }]);
    }
  }
}

function lookAt(pid: number): { bytes: number; cpuSeconds: number } | undefined {
  try {
    const kilobytes = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // The command's name, in brackets, may hold spaces; utime and stime are the 12th and 13th field behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { bytes: Number(kilobytes) * 1024, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS };
  } catch {
    return undefined; // it has ended
  }
}
