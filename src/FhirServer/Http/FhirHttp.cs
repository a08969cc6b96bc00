using System.Collections.Immutable;
using System.Text;
using Authorization.Access;
using Authorization.Tokens;
using FhirCore;
using FhirServer.Auditing;
using FhirServer.Discovery;
using FhirServer.Interactions;
using FhirServer.Provenances;
using FhirServer.Settings;
using Microsoft.AspNetCore.Connections.Features;

namespace FhirServer.Http;

/// <summary>Everything below the FHIR base: who asks, what for, in which format; then the dispatcher, then one response.</summary>
internal sealed class FhirHttp(
    FhirDispatcher dispatcher, DiscoveryDocuments discovery, TokenAuthenticator authenticator, Callers callers, FhirCors cors, RequestAudit audit,
    ServerSettings settings)
{
    /// <param name="path">Below the base.</param>
    /// <returns>The interaction, for the metrics.</returns>
    public ValueTask<FhirInteraction> HandleAsync(HttpContext context, FhirBase @base, ReadOnlySpan<char> path)
    {
        var parsed = FhirRoute.Parse(path);
        return parsed.TryGet(out var route, out _) && route.Kind is RouteKind.Metadata or RouteKind.SmartConfiguration
            ? DiscoverAsync(context, @base, route)
            : AnswerAsync(context, @base, parsed);
    }

    private async ValueTask<FhirInteraction> DiscoverAsync(HttpContext context, FhirBase @base, FhirRoute route)
    {
        await discovery.WriteAsync(context, @base, route);
        return FhirInteraction.Capabilities;
    }

    private async ValueTask<FhirInteraction> AnswerAsync(HttpContext context, FhirBase @base, Outcome<FhirRoute> parsed)
    {
        if (await cors.HandleAsync(context))
        {
            return FhirInteraction.Other;
        }
        if (audit.Closed is { } closed)
        {
            await ResponseWriter.RefuseAsync(context, closed);
            return FhirInteraction.Other;
        }
        var ct = context.RequestAborted;
        var http = context.Request;
        var origin = audit.Begin(context);
        var (grant, route, interaction) = (default(Grant), default(FhirRoute), FhirInteraction.Other);
        FhirReply reply;
        var (isOver, pretty) = (false, false);
        try
        {
            if (!(await authenticator.AuthenticateAsync(http.Headers.Authorization.ToString(), ct, context.Features.Get<IConnectionItemsFeature>()?.Items)).TryGet(out grant, out var failure)
                || !parsed.TryGet(out route, out failure))
            {
                audit.RecordRefusal(context, origin, grant, parsed.TryGet(out var named, out _) ? named : default, interaction, failure);
                await ResponseWriter.RefuseAsync(context, failure);
                return interaction;
            }
            interaction = InteractionTable.Find(route.Kind, http.Method);
            if (!(await ReadAsync(context, @base, route, grant, origin, interaction, ct)).TryGet(out var request, out failure))
            {
                audit.RecordRefusal(context, origin, grant, route, interaction, failure);
                await ResponseWriter.RefuseAsync(context, failure);
                return interaction;
            }
            reply = await dispatcher.DispatchAsync(request, ct);
            isOver = true;
            reply = await audit.RecordAsync(request, reply, ct);
            pretty = !request.Query.IsEmpty && request.Query.First("_pretty") is "true";
        }
        catch (Exception error) when (!isOver)
        {
            audit.RecordFault(context, origin, grant, route, interaction, error);
            throw;
        }
        await ResponseWriter.WriteAsync(context, reply, pretty);
        return interaction;
    }

    private async ValueTask<Outcome<FhirRequest>> ReadAsync(
        HttpContext context, FhirBase @base, FhirRoute route, Grant grant, RequestOrigin origin, FhirInteraction interaction, CancellationToken ct)
    {
        var http = context.Request;
        var headers = http.Headers;
        var rawQuery = http.QueryString.Value ?? "";
        if (!QueryParameters.Parse(rawQuery).TryGet(out var query, out var failure))
        {
            return failure;
        }
        if (Negotiation.CheckAccept(headers.Accept.ToString(), query.IsEmpty ? null : query.First("_format")) is { } notAcceptable)
        {
            return notAcceptable;
        }
        if (!BreakGlassHeader.Read(headers, grant).TryGet(out var reason, out failure) && failure is not null)
        {
            return failure;
        }
        var provenance = Header(headers[XProvenance.Header]);
        if (provenance is not null && XProvenance.Check(interaction, Header(headers["If-None-Exist"])) is { } misplaced)
        {
            return misplaced;
        }
        var caller = await callers.OfAsync(grant, reason is not null, ct);
        var body = ReadOnlyMemory<byte>.Empty;
        if (TakesBody(interaction, http.Method))
        {
            if (!(await ReadBodyAsync(http, interaction, ct)).TryGet(out body, out failure))
            {
                return failure;
            }
            if (interaction == FhirInteraction.SearchType)
            {
                if (!ReadForm(body).TryGet(out var form, out failure))
                {
                    return failure;
                }
                query = query.AddRange(form);
            }
        }
        return new FhirRequest
        {
            Route = route,
            Method = http.Method,
            Base = @base,
            Grant = grant,
            Caller = caller,
            BreakGlass = reason,
            Origin = origin,
            Provenance = provenance,
            RawQuery = rawQuery,
            Query = query,
            Body = body,
            IfMatch = Header(headers.IfMatch),
            IfNoneMatch = Header(headers.IfNoneMatch),
            IfModifiedSince = Header(headers.IfModifiedSince),
            IfNoneExist = interaction == FhirInteraction.Create ? Header(headers["If-None-Exist"]) : null,
            IdempotencyKey = interaction == FhirInteraction.Operation ? Header(headers["Idempotency-Key"]) : null,
            Prefer = headers["Prefer"] is { Count: > 0 } prefer ? Preferences.Parse(prefer) : default,
        };
    }

    private async ValueTask<Outcome<ReadOnlyMemory<byte>>> ReadBodyAsync(HttpRequest http, FhirInteraction interaction, CancellationToken ct)
    {
        var deadline = http.HttpContext.Features.Get<RequestDeadline>();
        deadline?.Pause();
        var read = await BodyReader.ReadAsync(http, settings.MaxBodyBytes, ct);
        deadline?.Resume();
        if (!read.TryGet(out var body, out _) || (body.IsEmpty && interaction is FhirInteraction.Operation or FhirInteraction.SearchType))
        {
            return read;
        }
        if (interaction == FhirInteraction.SearchType)
        {
            return Negotiation.IsForm(http.ContentType)
                ? read
                : FhirFailure.Of(FailureKind.UnsupportedMediaType, "POST _search takes application/x-www-form-urlencoded.");
        }
        return Negotiation.CheckContentType(http.ContentType, http.Headers.ContentEncoding) is { } unsupported ? unsupported : read;
    }

    private static Outcome<ImmutableArray<KeyValuePair<string, string>>> ReadForm(ReadOnlyMemory<byte> body)
    {
        try
        {
            return QueryParameters.Parse(StrictUtf8.GetString(body.Span));
        }
        catch (DecoderFallbackException)
        {
            return FhirFailure.Of(FailureKind.Invalid, "The form is not valid UTF-8.", code: "structure");
        }
    }

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private static bool TakesBody(FhirInteraction interaction, string method) => interaction switch
    {
        FhirInteraction.Create or FhirInteraction.Update or FhirInteraction.Batch => true,
        FhirInteraction.Operation or FhirInteraction.SearchType => method == "POST",
        _ => false,
    };

    private static string? Header(Microsoft.Extensions.Primitives.StringValues values) => values.Count == 0 ? null : values.ToString();
}
