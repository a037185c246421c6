using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Mirroring;

/// <summary>One request's copy on its way to a mirror. Holds nothing of the request itself, which may end first.</summary>
/// <param name="Mirror">The mirroring endpoint's name.</param>
/// <param name="Request">The id of the client's request.</param>
/// <param name="Kind">What it is to the mirror.</param>
/// <param name="Body">As the mirror gets it.</param>
internal sealed record MirrorCopy(ProjectId Project, string Mirror, string Request, KeyId Caller, PoolTarget Target, Occupancy Occupancy, CallKind Kind, byte[] Body);

/// <summary>Why no copy was made of a request that was to be copied.</summary>
internal enum MirrorSkip
{
    /// <summary>The project has no such endpoint now, or it is the one that was asked.</summary>
    NoEndpoint,

    /// <summary>No replica of it is ready and has room.</summary>
    NoReplica,

    /// <summary>It has as many copies as it may have.</summary>
    Busy,

    /// <summary>The body is larger than copies may be.</summary>
    TooLarge,

    /// <summary>There is no way to say the request to a replica.</summary>
    Untranslatable,
}

/// <summary>What became of a copy.</summary>
internal enum MirrorOutcome
{
    /// <summary>Its answer came whole, be it that the request was wrong.</summary>
    Answered,

    /// <summary>No answer, a broken one, or one that says that the replica cannot.</summary>
    Failed,

    /// <summary>Its answer took too long or was too large to be read to its end, or the gateway stopped.</summary>
    CutOff,
}
