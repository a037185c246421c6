using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Routing;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>
/// Finds somebody who answers: (1) a target by weight, (2) a replica of it, waiting for one where the endpoint sleeps or is full, (3) a try, (4) another replica or target
/// where that failed, (5) the fallback models. Nothing was sent to the client yet, so all of this is invisible but for time.
/// </summary>
internal sealed class Dispatch(GatewayOptions options, GatewayState state, Attempts attempts, EndpointActivities activities, IWakesEndpoints? waker, TimeProvider time)
{
    private readonly Dice _dice = new();

    /// <returns>The answer, or the error that is told to the client.</returns>
    public Task<(Answer? Answer, CallError? Error)> FindAnswerAsync(Call call) =>
        call.Route.Route.Fallbacks.Count == 0 ? AskAsync(call, call.Route) : FallBackAsync(call);

    private async Task<(Answer?, CallError?)> FallBackAsync(Call call)
    {
        var (answer, error) = await AskAsync(call, call.Route);
        foreach (var model in call.Route.Route.Fallbacks)
        {
            if (answer is null && state.FindRoute(new ModelName(call.Key.Project, model)) is { } route)
                (answer, error) = await AskAsync(call, route);
        }
        return (answer, error);
    }

    private async Task<(Answer?, CallError?)> AskAsync(Call call, CompiledRoute route)
    {
        var (given, tried, lost) = (new bool[route.Route.Targets.Count], new List<int>(), false);
        CallError? error = null;
        for (var made = 0; made < options.Attempts;)
        {
            // (1)
            var dice = _dice.Roll();
            var at = TargetChoice.Pick(route.Route.Targets, given, dice, call.SessionHash);
            if (at < 0)
                break;
            var target = route.Route.Targets[at];
            if (call.As(target).Error is { } unspoken)
            {
                (given[at], error) = (true, error ?? unspoken);
                continue;
            }

            // (2)
            Occupancy? occupancy = null;
            AttemptRecord record;
            if (route.Pools[at] is null)
            {
                record = AttemptRecord.Outside(target);
            }
            else
            {
                (occupancy, record, var refused) = await ReplicaOfAsync(call, route, at, tried, lost, dice);
                if (occupancy is null)
                {
                    given[at] = true;
                    record.Outcome = refused?.Message ?? "every replica that was ready failed this request already";
                    call.Record.Attempts.Add(record);
                    error ??= refused;
                    continue;
                }
            }

            // (3), (4)
            call.Record.Attempts.Add(record);
            var (answer, failure) = await TryAsync(call, route, at, occupancy, record, tried);
            if (answer is not null)
                return (answer, null);
            error = CallError.AllFailed(route.Route.Name.Model, failure!.Why);
            // A replica that is not there costs no try: each is asked once, and there are only so many.
            made += failure.Reached || occupancy is null ? 1 : 0;
            lost |= failure.Lost;
            if (occupancy is null)
                given[at] = true;
            else
                tried.Add(occupancy.Replica.Slot);
        }
        return (null, error ?? CallError.Asleep(route.Route.Name.Model, TimeSpan.Zero));
    }

    /// <summary>Chooses a replica; where none has room, waits in the endpoint's line for one, for the route's hold time at most.</summary>
    private async ValueTask<(Occupancy?, AttemptRecord, CallError?)> ReplicaOfAsync(Call call, CompiledRoute route, int at, List<int> tried, bool lost, ulong dice)
    {
        var began = time.GetTimestamp();
        var endpoint = ((PoolTarget)route.Route.Targets[at]).Endpoint;
        var activity = activities.Of(endpoint);
        LinkedListNode<TaskCompletionSource>? place = null;
        while (true)
        {
            var changed = state.Changed;
            // A newer snapshot may have brought the replica that is waited for.
            var pool = state.FindRoute(route.Route.Name) is { } fresh && at < fresh.Pools.Length && fresh.Pools[at] is { } renewed
                && renewed.Target.Endpoint == endpoint ? renewed : route.Pools[at]!;
            var occupancy = Choose(call, route, pool, tried, dice, out var decision);
            var record = new AttemptRecord(pool.Name, decision, pool);
            if (occupancy is not null)
            {
                Leave(used: true);
                return (occupancy, record, null);
            }
            // Replicas that answered with a failure will not do better; where one was lost, another is on its way.
            if (decision.Tried > 0 && decision.Full == 0 && !lost)
            {
                Leave(used: false);
                return (null, record, null);
            }
            var left = route.Route.HoldTime - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
            {
                Leave(used: false);
                return (null, record, CallError.Asleep(route.Route.Name.Model, route.Route.HoldTime));
            }
            if (place is null)
            {
                place = activity.Join(route.Route.HoldLimit);
                if (place is null)
                    return (null, record, CallError.QueueFull(route.Route.Name.Model, route.Route.HoldLimit));
                // Room that came before there was a place in the line woke nobody: look once more.
                continue;
            }
            place = activity.Stay(place);
            activity.Meter.Changed(queued: 1, tokens: call.Tokens);
            try
            {
                // Who wakes an endpoint looks at what waits for it, so this request counts before it calls.
                if (decision.Outcome == RouteOutcome.NoReplica)
                    waker?.Wake(endpoint);
                // A breaker's cooldown ends without anybody saying so: look again now and then.
                var look = left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
                await Task.WhenAny(place.Value.Task, changed, Task.Delay(look, time, call.Left));
                call.Left.ThrowIfCancellationRequested();
            }
            catch (OperationCanceledException)
            {
                Leave(used: false);
                throw;
            }
            finally
            {
                activity.Meter.Changed(queued: -1, tokens: -call.Tokens);
                call.Record.HeldMs = time.GetElapsedTime(began).TotalMilliseconds;
            }
        }

        void Leave(bool used)
        {
            if (place is not null)
                activity.Leave(place, used);
            place = null;
        }
    }

    /// <summary>Chooses a replica and occupies a place there; one that was filled since it was looked at is full when looked at again.</summary>
    public Occupancy? Choose(Call call, CompiledRoute route, ReplicaPool pool, List<int> tried, ulong dice, out RouteDecision decision)
    {
        Span<ulong> hashes = stackalloc ulong[PrefixHashes.MostBlocks];
        Span<PrefixMatch> matches = stackalloc PrefixMatch[4];
        var blocks = PrefixHashes.Compute(call.Prompt, route.PrefixSeed, hashes);
        var found = state.Prefixes.Match(hashes[..blocks], matches);
        var request = new RoutingRequest
        {
            PromptTokens = call.PromptTokens, PromptBlocks = blocks, Matches = matches[..found], SessionHash = call.SessionHash, AdapterBit = route.AdapterBit,
            Tried = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tried),
        };
        (call.Record.PromptTokens, call.Record.PromptBlocks) = (call.PromptTokens, blocks);
        while (pool.Choose(options.Routing, in request, dice, time.GetUtcNow(), out decision) is { } replica)
        {
            if (Occupancy.TryBegin(replica, pool.Target, activities, call.Tokens, time, route.AdapterBit) is not { } occupancy)
                continue;
            state.Prefixes.Record(hashes[..blocks], replica.Slot);
            return occupancy;
        }
        return null;
    }

    /// <summary>One try, or two where the first is slow and the client waits for a whole answer anyway.</summary>
    private Task<(Answer?, AttemptFailure?)> TryAsync(Call call, CompiledRoute route, int at, Occupancy? occupancy, AttemptRecord record, List<int> tried) =>
        occupancy is null || call.Facts.Stream || route.Route.HedgeAfter is not { } after || route.Pools[at] is not { } pool
            ? attempts.TryAsync(call, route.Pools[at]?.Target ?? route.Route.Targets[at], occupancy, record, call.Left)
            : HedgedAsync(call, route, pool, after, occupancy, record, tried);

    /// <summary>Two tries where the first is slow; the slower one is cancelled.</summary>
    private async Task<(Answer?, AttemptFailure?)> HedgedAsync(Call call, CompiledRoute route, ReplicaPool pool, TimeSpan after, Occupancy occupancy, AttemptRecord record, List<int> tried)
    {
        var target = pool.Target;
        using var first = CancellationTokenSource.CreateLinkedTokenSource(call.Left);
        var one = attempts.TryAsync(call, target, occupancy, record, first.Token);
        if (await Task.WhenAny(one, Task.Delay(after, time, call.Left)) == one
            || Choose(call, route, pool, [.. tried, occupancy.Replica.Slot], _dice.Roll(), out var decision) is not { } other)
            return await one;
        using var second = CancellationTokenSource.CreateLinkedTokenSource(call.Left);
        var hedge = new AttemptRecord(pool.Name + " (hedge)", decision, pool);
        call.Record.Attempts.Add(hedge);
        var two = attempts.TryAsync(call, target, other, hedge, second.Token);
        var faster = await Task.WhenAny(one, two);
        var slower = faster == one ? two : one;
        var answer = await faster;
        if (answer.Answer is null)
            return await slower;
        await (faster == one ? second : first).CancelAsync();
        await DropAsync(slower);
        return answer;
    }

    private static async Task DropAsync(Task<(Answer? Answer, AttemptFailure? Failure)> slower)
    {
        try
        {
            (await slower).Answer?.Dispose();
        }
        catch (OperationCanceledException)
        {
            // It was cancelled because the other was faster, and has ended as abandoned.
        }
    }
}
