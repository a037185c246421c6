using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Identity;

/// <summary>What a key may do, least first.</summary>
public enum Role
{
    /// <summary>
    /// Is a gateway that runs alone (<c>cairn gateway</c>): learns all keys' hashes and providers' credentials, reports usage, and may do
    /// nothing that people may.
    /// </summary>
    Gateway,

    /// <summary>Calls models, and nothing else: every other request needs a viewer at least.</summary>
    Inference,

    /// <summary>Reads what its project owns. Calls no models: that costs money.</summary>
    Viewer,

    /// <summary>Also runs and stops work in its project.</summary>
    Member,

    /// <summary>Everything, in every project.</summary>
    Admin,
}

/// <summary>Who makes a request. The server's authentication puts it among the request's features; endpoints read it from there.</summary>
/// <param name="Key">The key that was shown.</param>
/// <param name="KeyName">Its name, for people.</param>
/// <param name="Role">What it may do.</param>
/// <param name="Project">The project it acts in: its own, or the one an admin named.</param>
/// <param name="ProjectName">That project's name.</param>
public sealed record Caller(KeyId Key, string KeyName, Role Role, ProjectId Project, string ProjectName)
{
    /// <summary>Whether this caller may see and touch what <paramref name="project"/> owns.</summary>
    public bool MayUse(ProjectId project) => Role == Role.Admin || project == Project;
}
