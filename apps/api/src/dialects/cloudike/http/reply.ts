import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { map, type Observable } from 'rxjs';

/** An answer that is more than a JSON body with status 200. */
export class Reply {
  private constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: unknown,
  ) {}

  static json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
    return new Reply(status, headers, body);
  }

  /** 304 with an empty body. */
  static notModified(headers: Readonly<Record<string, string>>): Reply {
    return new Reply(304, headers, undefined);
  }

  static redirect(location: string, headers: Readonly<Record<string, string>> = {}): Reply {
    return new Reply(302, { ...headers, Location: location }, undefined);
  }

  /** A page or text; `contentType` with its charset. */
  static text(contentType: string, body: string, headers: Readonly<Record<string, string>> = {}): Reply {
    return new Reply(200, { ...headers, 'Content-Type': contentType }, body);
  }
}

/** The answer of actions that carry no data: `{code: 'OK', description}`. */
export function ok(description = 'Done'): { code: 'OK'; description: string } {
  return { code: 'OK', description };
}

/** Turns a Reply into status, headers and body; anything else is a JSON body with status 200. Handlers that take `@Res()` answer by themselves. */
@Injectable()
export class ReplyInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      map((result: unknown) => {
        if (!(result instanceof Reply)) return result ?? {};
        response.status(result.status).set(result.headers);
        return result.body;
      }),
    );
  }
}
