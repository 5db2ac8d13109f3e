import {
  defaultRangeExtractor,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';

interface VirtualRowsOptions {
  readonly count: number;
  /** Pixels of each row. */
  readonly height: number;
  /** A row that is there also when it is out of sight, as it has the focus. */
  readonly kept: number;
  readonly scroller: RefObject<HTMLElement | null>;
}

/** The rows of a long list that are in sight, and a little around them. */
export function useVirtualRows({ count, height, kept, scroller }: VirtualRowsOptions): {
  readonly rows: readonly VirtualItem[];
  readonly total: number;
  readonly scrollTo: (index: number) => void;
} {
  const [, draw] = useReducer((n: number, _change: void) => n + 1, 0);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 5,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => draw(),
    rangeExtractor: (range: Parameters<typeof defaultRangeExtractor>[0]) =>
      [...new Set([...defaultRangeExtractor(range), ...(kept < count ? [kept] : [])])].sort((a, b) => a - b),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  virtualizer.setOptions(options);
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  return {
    rows: virtualizer.getVirtualItems(),
    total: virtualizer.getTotalSize(),
    scrollTo: (index) => virtualizer.scrollToIndex(index),
  };
}
