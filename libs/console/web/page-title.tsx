import type { ComponentChildren, VNode } from 'preact';
import { useEffect } from 'preact/hooks';

/** The heading of a page, which is the title of its window too. */
export function PageTitle({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): VNode {
  useEffect(() => {
    document.title = `${title} – runs`;
  }, [title]);
  return (
    <h1 tabIndex={-1}>
      {title} {children}
    </h1>
  );
}
