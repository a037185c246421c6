using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Entering;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.OpenInference;

/// <summary>
/// Takes requests of the Open Inference Protocol to replicas, whatever they travel over: who may, to whom, how often, and what is counted and remembered of it. Nothing tells
/// tokens there, so every request counts as one.
/// </summary>
internal sealed class OpenInferenceDesk(InferenceGateway gateway, IWakesEndpoints waker, GatewayOptions options, TimeProvider time)
{
    private readonly ReplicaWait _replicas = new(gateway.State, gateway.Activities, waker, options, time);

    /// <summary>The live key that a request shows, or why it is not let in.</summary>
    public ((GatewayKey Key, KeyAccount Account)? Caller, CallError? Error) Authenticate(HttpRequest request) =>
        Admission.Authenticate(request, gateway.State, time.GetUtcNow()) is { } caller ? (caller, null) : (null, Admission.Unknown(gateway.State));

    /// <summary>Lets a caller's request for a model in, within the limits of its key; the caller ends it.</summary>
    public (OpenInferenceCall? Call, CallError? Error) Admit(HttpContext context, (GatewayKey Key, KeyAccount Account) caller, string model)
    {
        if (HostRoute.NameOf(context, caller.Key.Project, model) is not { } name || gateway.State.FindRoute(name) is not { } route)
            return (null, CallError.NoModel(model));
        // A key that is held to tokens or money must not come this way.
        if (Admission.Unmetered(caller.Key, caller.Account, name.Model, gateway.State) is { } unmetered)
            return (null, unmetered);
        var now = time.GetUtcNow();
        var record = new CallRecord(gateway.IdOf(context), caller.Key.Project, caller.Key.Name, name.Model, now);
        var remembered = gateway.Decisions.Begin(record);
        if (Reservation.Take(caller.Account, 0, Money.Zero, now, out var over) is { } reservation)
            return (new OpenInferenceCall(caller.Key, route.Route, record, reservation, remembered), null);
        var refused = Admission.Refused(over!);
        (record.Status, record.Error) = (refused.Status, refused.Message);
        remembered.Dispose();
        return (null, refused);
    }

    /// <summary>Finds somebody who answers. Where a replica fails before its answer, and the request may be sent again, another one is asked.</summary>
    /// <param name="send">Sends it to a replica, and the answer to the client.</param>
    /// <returns>What the client is still to be told; null where it has an answer or left.</returns>
    public async Task<CallError?> AnswerAsync(OpenInferenceCall call, HttpContext context, Func<OpenInferenceTry, Task<OpenInferenceEnd>> send)
    {
        var (tried, error, made) = (new List<int>(), (CallError?)null, 0);
        while (made++ < options.Attempts)
        {
            var began = time.GetTimestamp();
            RequestHead.Leave(context);
            var found = await _replicas.FindAsync(call.Route, tried, ReplicaWait.SessionOf(context.Request, call.Key), context.RequestAborted);
            RequestHead.Return(context);
            call.Record.HeldMs += time.GetElapsedTime(began).TotalMilliseconds;
            if (found is null)
                break;
            call.Record.Attempts.Add(found.Record);
            var end = await TryAsync(found, new OpenInferenceTry(found.Replica, found.Target, made < options.Attempts), send, first: made == 1);
            found.Record.Outcome = end.Words;
            (call.Record.Status, call.Record.Error, error) = (end.Status, end.Error?.Message, end.Error);
            if (end.Error is null)
                Count(call, found.Target);
            if (!end.Again)
                return error;
            context.RequestAborted.ThrowIfCancellationRequested();
            tried.Add(found.Replica.Slot);
        }
        error ??= CallError.Asleep(call.Model, call.Route.HoldTime);
        (call.Record.Status, call.Record.Error) = (error.Status, error.Message);
        return error;
    }

    /// <summary>Counts one more request of a stream.</summary>
    /// <returns>Why it is one too many; null where it is not.</returns>
    public CallError? CountAnother(OpenInferenceCall call, PoolTarget target)
    {
        if (call.Reservation.TakeAnother(time.GetUtcNow()) is { } over)
            return Admission.Refused(over);
        gateway.Activities.MeterOf(target.Endpoint).Arrived();
        Count(call, target);
        return null;
    }

    private void Count(OpenInferenceCall call, PoolTarget target) =>
        gateway.Usage.Add(new UsageSubject(call.Key.Project, call.Key.Id, call.Model, target.Endpoint, null), new UsageSum(1, 0, 0, 0, Money.Zero));

    private async Task<OpenInferenceEnd> TryAsync(FoundReplica found, OpenInferenceTry attempt, Func<OpenInferenceTry, Task<OpenInferenceEnd>> send, bool first)
    {
        if (first)
            gateway.Activities.MeterOf(attempt.Target.Endpoint).Arrived();
        var end = AttemptEnd.Failed;
        try
        {
            var sent = await send(attempt);
            end = sent.End;
            return sent;
        }
        catch (OperationCanceledException)
        {
            end = AttemptEnd.Abandoned;
            throw;
        }
        finally
        {
            found.Occupancy.End(end);
        }
    }
}
