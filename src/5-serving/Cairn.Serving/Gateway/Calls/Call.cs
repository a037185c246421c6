using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Dialects;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>A request on its way through the gateway, once it was let in.</summary>
internal sealed class Call(HttpContext context, CallKind kind, CallRecord record)
{
    public HttpContext Context { get; } = context;

    public CallKind Kind { get; } = kind;

    public CallRecord Record { get; } = record;

    public required GatewayKey Key { get; init; }

    public required KeyAccount Account { get; init; }

    public required RequestBody Body { get; init; }

    public required BodyFacts Facts { get; init; }

    public required CompiledRoute Route { get; init; }

    /// <summary>Keeps the answer for clients that come back to it; null where it is not kept.</summary>
    public Func<System.Text.Json.Nodes.JsonObject, CancellationToken, Task<bool>>? Keep { get; init; }

    /// <summary>Null for a client's own.</summary>
    public InnerCall? Inner { get; init; }

    /// <summary>Tokens of output that are allowed, per choice.</summary>
    public required long MostOutput { get; init; }

    /// <summary>A quarter of the prompt's bytes.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>When the body had come, by the time provider's clock; overhead counts from here.</summary>
    public required long Received { get; init; }

    private readonly (Spoken? Spoken, CallError? Error)[] _spoken = new (Spoken?, CallError?)[2];

    /// <summary>The request in a target's dialect, or why there is no way to say it; translated once.</summary>
    public (Spoken? Spoken, CallError? Error) As(RouteTarget target)
    {
        var dialect = (target as ProviderTarget)?.Dialect ?? ApiDialect.OpenAi;
        if (Kind == CallKind.Counting && target is ProviderTarget { Dialect: ApiDialect.OpenAi })
            return (null, CallError.Uncounted(Facts.Model));
        ref var known = ref _spoken[(int)dialect];
        if (known is (null, null))
            known = Spoken.Of(this, dialect);
        return known;
    }

    public CancellationToken Left => Context.RequestAborted;

    /// <summary>What the request adds to a replica's work.</summary>
    public long Tokens => PromptTokens + Math.Min(MostOutput, 512) * Facts.Choices;

    public ReadOnlySpan<byte> Prompt => Body.Bytes.Span.Slice(Facts.Prompt.Start, Facts.Prompt.Length);

    public ulong SessionHash
    {
        get
        {
            var session = Context.Request.Headers["x-session-id"] is [{ Length: > 0 and <= 256 } named] ? named : Facts.Session;
            return session is null ? 0 : PrefixHashes.Seed(Key.Project.ToString(), session) | 1;
        }
    }
}
