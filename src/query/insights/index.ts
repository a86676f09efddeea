export * from './answers.ts';
export {
  abandonInsight,
  abandonWatch,
  newWatch,
  watchMinute,
  windowMinutes,
  type NodePast,
  type Watch,
} from './watch.ts';
export type { WatchedMinute } from './watch.ts';
export type { MinuteGraph } from './window.ts';
