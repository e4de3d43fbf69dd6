import type { FetcherOpts, FetcherParams } from "@graphiql/toolkit";
import { Kind, parse, type DocumentNode } from "graphql";

type Request = readonly [params: FetcherParams, options: FetcherOpts];

/**
 * The request as its text says it.
 *
 * GraphiQL reads the document a moment after typing ends (100 ms), so that whoever pastes and runs at once, or switches
 * tabs and runs at once, sends the new text with the operation name, and by the transport, of the old one.
 */
export function readAnew(params: FetcherParams, options: FetcherOpts): Request {
  const { documentAST: _stale, ...others } = options;
  const document = parsed(params.query);
  // A document with a syntax error goes as it is: the server says what is wrong with it.
  if (!document) return [params, others];
  const names = operationNames(document);
  const known = names.some((name) => name === params.operationName);
  const only = names.length === 1 ? names[0] : undefined;
  const operationName = known ? params.operationName : only;
  return [operationName ? { ...params, operationName } : withoutName(params), { ...others, documentAST: document }];
}

function parsed(text: string): DocumentNode | null {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

function operationNames(document: DocumentNode): readonly (string | undefined)[] {
  return document.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? [definition.name?.value] : [],
  );
}

function withoutName({ operationName: _unknown, ...others }: FetcherParams): FetcherParams {
  return others;
}
