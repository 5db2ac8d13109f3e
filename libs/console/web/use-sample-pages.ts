import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { SamplePage, SampleRow } from '../src/api.js';
import { fetchJson, runPath } from './fetch-json.js';

/** Rows asked for at a time. */
const PAGE = 100;

interface SamplePages {
  /** Of the page that came last; undefined before the first. */
  readonly head: Omit<SamplePage, 'rows' | 'offset'> | undefined;
  readonly error: string | undefined;
  /** Undefined while it is under way. */
  readonly row: (index: number) => SampleRow | undefined;
  /** Has what is needed for these rows come. */
  readonly want: (first: number, last: number) => void;
}

/**
 * The samples of a run that fit, page by page as they are wanted.
 *
 * @param filter parameters of the query, as in an address
 * @param news changes when there may be more or other samples: pages are asked for again, and kept until they come
 */
export function useSamplePages(run: string, filter: string, news: string): SamplePages {
  const [head, setHead] = useState<SamplePages['head']>();
  const [error, setError] = useState<string>();
  const pages = useRef(new Map<number, readonly SampleRow[]>());
  const asked = useRef(new Map<number, string>());
  const leaving = useRef(new AbortController());

  useEffect(() => {
    pages.current.clear();
    asked.current.clear();
    leaving.current = new AbortController();
    return () => leaving.current.abort();
  }, [run, filter]);

  const want = useCallback(
    (first: number, last: number) => {
      for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last) / PAGE); page++) {
        if (asked.current.get(page) === news) continue;
        asked.current.set(page, news);
        const { signal } = leaving.current;
        const query = new URLSearchParams(filter);
        query.set('offset', String(page * PAGE));
        query.set('limit', String(PAGE));
        fetchJson<SamplePage>(`${runPath(run, 'samples')}?${query}`, signal).then(
          ({ rows, ...rest }) => {
            pages.current.set(page, rows);
            setHead(rest);
            setError(undefined);
          },
          (failure: unknown) => {
            if (signal.aborted) return;
            asked.current.delete(page);
            setError(String(failure));
          },
        );
      }
    },
    [run, filter, news],
  );
  const row = (index: number): SampleRow | undefined => pages.current.get(Math.floor(index / PAGE))?.[index % PAGE];
  return { head, error, row, want };
}
