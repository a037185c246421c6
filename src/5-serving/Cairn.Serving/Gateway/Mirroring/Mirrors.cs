using Cairn.Contracts.Ids;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Mirroring;

/// <summary>
/// Copies some requests to endpoints that are only watched. The client's request goes its way whatever becomes of the copy: that is sent
/// beside it, its answer is read and dropped, and there are only so many at once. It costs the key nothing, is tried once and wakes
/// nobody.
/// </summary>
internal sealed class Mirrors : IDisposable
{
    /// <summary>Tells a replica that nobody hears what it answers. What comes with it is not copied again.</summary>
    public const string Header = "x-cairn-mirrored";

    private readonly GatewayOptions _options;
    private readonly GatewayState _state;
    private readonly Dispatch _dispatch;
    private readonly MirrorSending _sending;
    private readonly EndpointActivities _activities;
    private readonly Dice _dice;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stopped;

    public Mirrors(GatewayOptions options, GatewayState state, Dispatch dispatch, MirrorSending sending, EndpointActivities activities, Dice dice)
    {
        (_options, _state, _dispatch, _sending, _activities, _dice) = (options, state, dispatch, sending, activities, dice);
        _stopped = _stopping.Token;
    }

    /// <summary>Copies a request to its model's mirror, if that falls to it. Waits for nothing.</summary>
    public void Copy(Call call)
    {
        if (call.Route.Route.Mirror is not { } mirror || call.Inner is not null || call.Kind == CallKind.Counting || call.Context.Request.Headers.ContainsKey(Header)
            || !MirrorChoice.Takes(mirror.Percent, _dice.Roll()))
            return;
        if (Begin(call, mirror.Endpoint) is { } why)
            MirrorInstruments.Skipped(call.Key.Project, mirror.Endpoint, why);
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    /// <returns>Why no copy is made; null where one is.</returns>
    private MirrorSkip? Begin(Call call, string mirror)
    {
        if (_state.FindRoute(new ModelName(call.Key.Project, EndpointPaths.Prefix + mirror)) is not { } route || route.Endpoint is not { } endpoint
            || endpoint == call.Route.Endpoint)
            return MirrorSkip.NoEndpoint;
        if (call.Body.Bytes.Length > _options.MirroredBodyBytes)
            return MirrorSkip.TooLarge;
        var activity = _activities.Of(endpoint);
        if (!activity.TryCopy(_options.MirroredAtOnce))
            return MirrorSkip.Busy;
        var why = Begin(call, mirror, route, activity);
        if (why is not null)
            activity.Copied();
        return why;
    }

    private MirrorSkip? Begin(Call call, string mirror, CompiledRoute route, EndpointActivity activity)
    {
        if (Choose(call, route) is not (var target, var occupancy))
            return MirrorSkip.NoReplica;
        if (call.As(target).Spoken is not { } spoken)
        {
            occupancy.End(AttemptEnd.Abandoned);
            return MirrorSkip.Untranslatable;
        }
        // The request's own memory may be gone before the copy is: this is the copy's.
        var body = EditedBody.Of(spoken.Body, spoken.Facts, spoken.Kind.Shape, target.UpstreamModel, call.MostOutput).ToArray();
        var copy = new MirrorCopy(call.Key.Project, mirror, call.Record.Id, call.Key.Id, target, occupancy, spoken.Kind, body);
        activity.Meter.Arrived();
        MirrorInstruments.Attempted(copy.Project, mirror);
        _ = Task.Run(() => RunAsync(copy, activity), CancellationToken.None);
        return null;
    }

    /// <summary>A replica as the endpoint's own clients would get one, but that nobody waits for one.</summary>
    private (PoolTarget Target, Occupancy Occupancy)? Choose(Call call, CompiledRoute route)
    {
        var given = new bool[route.Pools.Length];
        var dice = _dice.Roll();
        for (int at; (at = TargetChoice.Pick(route.Route.Targets, given, dice, call.SessionHash)) >= 0; given[at] = true)
        {
            if (route.Pools[at] is { } pool && _dispatch.Choose(call, route, pool, [], dice, out _) is { } occupancy)
                return (pool.Target, occupancy);
        }
        return null;
    }

    private async Task RunAsync(MirrorCopy copy, EndpointActivity activity)
    {
        try
        {
            await _sending.RunAsync(copy, activity, _stopped);
        }
        finally
        {
            activity.Copied();
        }
    }
}
