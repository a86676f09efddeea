import { routes } from './routes.ts';

/** The description of `/api` (OpenAPI 3.1.0), from the routes themselves. */
export function describeApi(version: string): object {
  const paths = routes.map(({ path, summary, parameters, answers }) => [
    path,
    {
      get: {
        operationId: operationIdOf(path),
        summary,
        parameters,
        responses: {
          200: {
            description: `Members: ${answers}.`,
            content: { 'application/json': { schema: { type: 'object' } } },
          },
          default: { $ref: '#/components/responses/Error' },
        },
      },
    },
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Raybridge console',
      version,
      description:
        'What the web console reads. Shapes are those of the AWS X-Ray API (2016-04-12) where it has them; changes are made through the X-Ray API itself.',
    },
    paths: Object.fromEntries(paths),
    components: {
      responses: {
        Error: {
          description: 'What went wrong; codes are listed in docs/errors.md.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      schemas: {
        Error: {
          type: 'object',
          required: ['code', 'message'],
          properties: { code: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
  };
}

/** `/api/traces/{id}` is `getTracesById`. */
function operationIdOf(path: string): string {
  const words = path.replace('{id}', 'by/id').split('/').slice(2);
  return `get${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
}
