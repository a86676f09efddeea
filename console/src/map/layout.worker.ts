import { layOut } from './layout.ts';
import type { Layout } from './layout.ts';

export interface LayoutTask {
  readonly id: number;
  readonly graph: Parameters<typeof layOut>[0];
}

export interface LayoutDone {
  readonly id: number;
  readonly layout: Layout;
}

addEventListener('message', ({ data: { id, graph } }: MessageEvent<LayoutTask>) => {
  const done: LayoutDone = { id, layout: layOut(graph) };
  postMessage(done);
});
