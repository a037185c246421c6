using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.OpenInference;

/// <summary>A request of the Open Inference Protocol that was let in. Ending it gives back what was reserved for it.</summary>
internal sealed record OpenInferenceCall(GatewayKey Key, ModelRoute Route, CallRecord Record, Reservation Reservation, DecisionLog.UnderWay Remembered) : IDisposable
{
    public string Model => Route.Name.Model;

    public void Dispose()
    {
        Reservation.Dispose();
        Remembered.Dispose();
    }
}

/// <summary>A request's way to one replica.</summary>
/// <param name="MayTryAgain">Whether another replica may be asked after this one.</param>
internal sealed record OpenInferenceTry(ReplicaState Replica, PoolTarget Target, bool MayTryAgain)
{
    /// <summary>The name that the replica knows the model by.</summary>
    public string NameOf(OpenInferenceCall call) => Target.UpstreamModel.Length == 0 ? call.Model : Target.UpstreamModel;
}

/// <summary>What became of a try.</summary>
/// <param name="Status">HTTP's, or what it would be there.</param>
/// <param name="Words">For people.</param>
/// <param name="Error">What the client is still to be told; null where it has an answer or left.</param>
/// <param name="Again">Whether nothing was told or lost yet, so that another replica may answer.</param>
internal readonly record struct OpenInferenceEnd(AttemptEnd End, int Status, string Words, CallError? Error = null, bool Again = false)
{
    public static OpenInferenceEnd Answered(int status, string words = "answered") => new(AttemptEnd.Answered, status, words);

    public static OpenInferenceEnd Left { get; } = new(AttemptEnd.Abandoned, 499, "the client left");

    /// <summary>The replica answered, and what it said went to the client, but it is no good sign.</summary>
    public static OpenInferenceEnd Poor(int status, string words) => new(AttemptEnd.Failed, status, words);

    /// <summary>The client's own doing.</summary>
    public static OpenInferenceEnd Refused(CallError error) => new(AttemptEnd.Abandoned, error.Status, error.Message, error);

    public static OpenInferenceEnd Failed(CallError error, string why, bool again) => new(AttemptEnd.Failed, error.Status, why, error, again);
}
