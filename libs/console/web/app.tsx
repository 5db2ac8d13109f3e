import type { VNode } from 'preact';
import { LocationProvider, Route, Router } from 'preact-iso';
import { ComparePage } from './pages/compare-page.js';
import { ListPage } from './pages/list-page.js';
import { RunPage } from './pages/run-page.js';
import { SamplesPage } from './pages/samples-page.js';

/** All pages, by their addresses. */
export function App(): VNode {
  return (
    <LocationProvider>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <nav aria-label="Console">
          <a href="/">Runs</a>
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        <Router onRouteChange={focusHeading}>
          <Route path="/" component={ListPage} />
          <Route path="/compare" component={ComparePage} />
          <Route path="/runs/:run" component={RunPage} />
          <Route path="/runs/:run/samples" component={SamplesPage} />
          <Route default component={NotFound} />
        </Router>
      </main>
    </LocationProvider>
  );
}

let shown = location.pathname;

/** Says a new page to a screen reader, and lets the keyboard go on from its top. What changes behind `?` is the same page. */
function focusHeading(url: string): void {
  const path = url.split('?')[0]!;
  if (path !== shown) requestAnimationFrame(() => document.querySelector('h1')?.focus());
  shown = path;
}

function NotFound(): VNode {
  return (
    <>
      <h1 tabIndex={-1}>Not found</h1>
      <p>
        There is nothing here. <a href="/">All runs</a>
      </p>
    </>
  );
}
