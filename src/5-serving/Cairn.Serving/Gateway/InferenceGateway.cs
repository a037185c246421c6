using System.Text.Json.Nodes;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Entering;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Mirroring;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Responses;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cairn.Serving.Gateway;

/// <summary>Takes every request for a model to somebody who answers, within the limits of its key. Asks no database.</summary>
public sealed class InferenceGateway : IDisposable
{
    /// <summary>
    /// A body that is too large is still read to its end up to here, so that its client gets to see the refusal and not a broken pipe.
    /// </summary>
    private const long DrainedBytes = 64 << 20;

    private const long PromptOverhead = 64; // tokens that a chat template adds beyond its messages' bytes

    private readonly GatewayOptions _options;
    private readonly BodyMemory _memory;
    private readonly Upstream _upstream;
    private readonly Dispatch _dispatch;
    private readonly Mirrors _mirrors;
    private readonly Relay _relay;
    private readonly DecisionLog _log;
    private readonly RequestIds _ids = new();
    private readonly TimeProvider _time;

    public InferenceGateway(GatewayOptions options, GatewayState state, UsageBook usage, EndpointActivities activities, TimeProvider time, ITunnels? tunnels = null,
        IWakesEndpoints? waker = null, IKeepsResponses? responses = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, State, Usage, Activities, _time) = (options, state, usage, activities, time);
        _memory = new BodyMemory(options.BodyMemoryBytes);
        _upstream = new Upstream(options, tunnels);
        _dispatch = new Dispatch(options, state, new Attempts(options, _upstream, time), activities, waker, time);
        _mirrors = new Mirrors(options, state, _dispatch, new MirrorSending(options, _upstream, time), activities, new Dice());
        _relay = new Relay(options, time);
        Memory = new ResponseMemory(responses, time);
        _log = new DecisionLog(options.RememberedDecisions);
    }

    public GatewayState State { get; }

    public UsageBook Usage { get; }

    public EndpointActivities Activities { get; }

    /// <summary>Where more money comes from; null where budgets and credits are the gateway's own to spend.</summary>
    internal IBorrowsBudgets? Budgets { get; init; }

    internal DecisionLog Decisions => _log;

    internal ResponseMemory Memory { get; }

    /// <summary>The memory that all kept bodies share, whatever they speak.</summary>
    internal BodyMemory Bodies => _memory;

    internal DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>The name that a request has, or gets now where nothing named it at its entry.</summary>
    internal string IdOf(HttpContext context)
    {
        var id = context.Features.Get<RequestHead>()?.Id ?? _ids.Next();
        context.Response.Headers[RequestIds.Header] = id;
        return id;
    }

    /// <summary>
    /// (1) Who asks; (2) the body, whole; (3) what it says that matters here; (4) the model, if the key may; (5) the most it may use is
    /// reserved; (6) somebody answers; (7) the answer goes to the client; (8) what was used takes the place of what was reserved.
    /// </summary>
    /// <param name="inner">Who asks, where it is no client.</param>
    internal async Task HandleAsync(HttpContext context, CallKind kind, InnerCall? inner = null)
    {
        var id = IdOf(context);
        try
        {
            if (await TakeAsync(context, kind, id, inner) is { } error)
                await ErrorAnswers.WriteAsync(context, error, kind.Dialect, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
    }

    public void Dispose()
    {
        _mirrors.Dispose();
        _upstream.Dispose();
    }

    private async Task<CallError?> TakeAsync(HttpContext context, CallKind kind, string id, InnerCall? inner)
    {
        // (1)
        if (inner is not null)
            await State.BegunAsync(_time, context.RequestAborted);
        var now = _time.GetUtcNow();
        if ((inner is null ? Admission.Authenticate(context.Request, State, now) : Admission.Living(inner.Key, State, now)) is not { } caller)
            return Admission.Unknown(State);

        // (2)
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = Math.Max(_options.MostBodyBytes, DrainedBytes);
        RequestHead.Leave(context);
        var (body, failure) = await ReadAsync(context);
        RequestHead.Return(context);
        if (body is null)
            return failure == BodyFailure.TooLarge ? CallError.TooLarge(_options.MostBodyBytes) : CallError.NoMemory;
        using (body)
        {
            var received = _time.GetTimestamp();

            // (3)
            var host = context.Features.Get<HostRoute>();
            if (Read(body, kind.Shape, host, out var facts) is { } unread)
                return unread;

            if (kind == CallKind.Message && facts.Maximum is null)
                return CallError.Invalid("max_tokens: Field required", "max_tokens");

            Func<JsonObject, CancellationToken, Task<bool>>? keep = null;
            if (kind == CallKind.Response)
            {
                (keep, var refused) = await Memory.PlanAsync(caller.Key.Project, id[4..], body, context.RequestAborted);
                if (refused is not null)
                    return refused;
                if (Read(body, kind.Shape, null, out facts) is { } wrong)
                    return wrong;
            }

            // (4)
            if ((host is not null && host.Project != caller.Key.Project) || State.FindRoute(new ModelName(caller.Key.Project, facts.Model)) is not { } route)
                return CallError.NoModel(facts.Model);
            if (!Admission.Allows(caller.Key, facts.Model, State))
                return CallError.NotAllowed(facts.Model, caller.Key.Name);
            var call = new Call(context, kind, new CallRecord(id, caller.Key.Project, caller.Key.Name, route.Route.Name.Model, now))
            {
                Key = caller.Key, Account = caller.Account, Body = body, Facts = facts, Route = route, Received = received, Keep = keep, Inner = inner,
                MostOutput = MostOutput(facts, kind, route.Route), PromptTokens = (facts.Prompt.Length + 3) / 4,
            };
            using var remembered = _log.Begin(call.Record);

            // (5)
            var tokens = call.PromptTokens + call.MostOutput * facts.Choices;
            var cost = MostCost(call, body.Length);
            var taken = Reservation.Take(caller.Account, tokens, cost, now, out var refusal);
            if (taken is null && refusal!.IsOfMoney && Budgets is not null)
                (taken, refusal) = await Budgets.BorrowAsync(caller.Key, caller.Account, tokens, cost, context.RequestAborted);
            using var reservation = taken;
            if (reservation is not null)
                return await AnswerAsync(call, reservation);
            var over = Admission.Refused(refusal!);
            (call.Record.Status, call.Record.Error) = (over.Status, over.Message);
            return over;
        }
    }

    private async Task<CallError?> AnswerAsync(Call call, Reservation reservation)
    {
        if (call.Route.Endpoint is { } known)
            Activities.Of(known).Meter.Arrived();
        _mirrors.Copy(call);

        // (6)
        RequestHead.Leave(call.Context);
        var (answer, error) = await _dispatch.FindAnswerAsync(call);
        RequestHead.Return(call.Context);
        (call.Record.Status, call.Record.Error) = (error?.Status ?? (int)answer!.Response.StatusCode, error?.Message);
        if (answer is null)
            return error;

        // (7), (8)
        using (answer)
        {
            var outcome = new Relay.Outcome(new TokenUsage(call.PromptTokens, 0, 0, Estimated: true), "the client left", null, null, ClientLeft: true);
            try
            {
                outcome = await _relay.RunAsync(call, answer);
                answer.End = outcome.ClientLeft ? AttemptEnd.Abandoned : outcome.Broken is null ? AttemptEnd.Answered : AttemptEnd.Failed;
            }
            finally
            {
                answer.Record.Outcome = outcome.Broken ?? "answered";
                Settle(call, answer, outcome, reservation);
            }
        }
        return null;
    }

    private void Settle(Call call, Answer answer, Relay.Outcome outcome, Reservation reservation)
    {
        var succeeded = answer.Response.IsSuccessStatusCode;
        var usage = succeeded && call.Kind != CallKind.Counting ? outcome.Usage : default;
        var cost = (answer.Target.Prices ?? call.Route.Route.Prices).CostOf(usage.Input, usage.Output, usage.Cached);
        if (call.Inner is { } inner)
            (inner.Usage, cost) = (usage, inner.PriceOf(cost));
        reservation.Settle(usage.Total, cost);
        (call.Record.Cost, call.Record.Usage) = (cost, usage);
        var pool = answer.Target as PoolTarget;
        Usage.Add(new UsageSubject(call.Key.Project, call.Key.Id, call.Record.Model, pool?.Endpoint, (answer.Target as ProviderTarget)?.Name),
            new UsageSum(1, usage.Input, usage.Cached, usage.Output, cost));
        if (pool is null || !succeeded || outcome.Broken is not null)
            return;
        var activity = Activities.Of(pool.Endpoint);
        activity.Answered(pool.Revision, outcome.FirstEventMs, outcome.EachTokenMs);
    }

    /// <summary>Whoever answers: a target of the model, or one of its fallbacks.</summary>
    private Money MostCost(Call call, long bodyBytes)
    {
        var (input, output) = (bodyBytes + PromptOverhead, call.MostOutput * call.Facts.Choices);
        var most = call.Route.Ceiling.CostOf(input, output);
        foreach (var model in call.Route.Route.Fallbacks)
        {
            if (State.FindRoute(new ModelName(call.Key.Project, model)) is { } fallback)
                most = Money.Max(most, fallback.Ceiling.CostOf(input, output));
        }
        return most;
    }

    private static CallError? Read(RequestBody body, BodyShape shape, HostRoute? host, out BodyFacts facts)
    {
        if (host is not null)
            return HostedBody.Read(body, shape, host, out facts);
        return BodyScan.Read(body.Bytes.Span, shape, out facts) is { } fault ? CallError.Invalid(fault.Message, fault.Param) : null;
    }

    private async ValueTask<(RequestBody?, BodyFailure)> ReadAsync(HttpContext context)
    {
        try
        {
            return await RequestBody.ReadAsync(context.Request.BodyReader, context.Request.ContentLength, _options.MostBodyBytes, _memory, context.RequestAborted);
        }
        catch (BadHttpRequestException refused) when (refused.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (null, BodyFailure.TooLarge);
        }
    }

    private static long MostOutput(in BodyFacts facts, CallKind kind, ModelRoute route)
    {
        if (kind.Shape.Maximums.Length == 0)
            return 0;
        var most = facts.Maximum ?? route.DefaultOutputTokens;
        return route.ContextLength > 0 ? Math.Min(most, route.ContextLength) : most;
    }
}
