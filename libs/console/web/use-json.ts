import { useEffect, useState } from 'preact/hooks';
import { fetchJson } from './fetch-json.js';

/** What was asked for, or why it did not come; neither while it is under way for the first time. */
export interface Asked<T> {
  readonly value?: T;
  readonly error?: string;
}

/** Asks the server, and again after `every` milliseconds; an address that changes is asked at once. */
export function useJson<T>(path: string, every?: number): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({});
  useEffect(() => {
    const leaving = new AbortController();
    const ask = (): void =>
      void fetchJson<T>(path, leaving.signal).then(
        (value) => setAsked({ value }),
        (error: unknown) => leaving.signal.aborted || setAsked({ error: String(error) }),
      );
    ask();
    const timer = every === undefined ? undefined : setInterval(ask, every);
    return () => {
      leaving.abort();
      clearInterval(timer);
    };
  }, [path, every]);
  return asked;
}
