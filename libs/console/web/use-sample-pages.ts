import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
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
  const { pages, asked, leaving } = useMemo(
    () => ({
      pages: new Map<number, readonly SampleRow[]>(),
      asked: new Map<number, string>(),
      leaving: new AbortController(),
    }),
    [run, filter],
  );
  useEffect(() => () => leaving.abort(), [leaving]);

  const want = useCallback(
    (first: number, last: number) => {
      for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last) / PAGE); page++) {
        if (asked.get(page) === news) continue;
        asked.set(page, news);
        const { signal } = leaving;
        const query = new URLSearchParams(filter);
        query.set('offset', String(page * PAGE));
        query.set('limit', String(PAGE));
        fetchJson<SamplePage>(`${runPath(run, 'samples')}?${query}`, signal).then(
          ({ rows, ...rest }) => {
            pages.set(page, rows);
            setHead(rest);
            setError(undefined);
          },
          (failure: unknown) => {
            if (signal.aborted) return;
            asked.delete(page);
            setError(String(failure));
          },
        );
      }
    },
    [run, filter, news, pages, asked, leaving],
  );
  const row = (index: number): SampleRow | undefined => pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  return { head, error, row, want };
}
