import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changeByXray } from './client.ts';

/** Changes by operations of the X-Ray API; what was asked under `queryKey` is asked again after one, then `onDone` is called. */
export function useXrayChange(queryKey: readonly string[], onDone: () => void) {
  const queries = useQueryClient();
  const [problem, setProblem] = useState<string | undefined>();
  const change = async (operation: string, request: object): Promise<void> => {
    try {
      await changeByXray(operation, request);
      await queries.invalidateQueries({ queryKey });
      onDone();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return { problem, change };
}
