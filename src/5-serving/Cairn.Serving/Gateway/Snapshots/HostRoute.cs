using Cairn.Contracts.Ids;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.Snapshots;

/// <summary>The endpoint that a DNS name belongs to. A request for the name carries it among its features.</summary>
/// <param name="Endpoint">Its name.</param>
/// <param name="Model">Null where it serves no model.</param>
public sealed record HostRoute(ProjectId Project, string Endpoint, string? Model)
{
    /// <summary>Whether a path is one of the gateway's own there; every other goes to a replica as it is.</summary>
    internal bool HasModelAt(PathString path) => Model is not null && IsOfModels(path);

    /// <summary>Whether a path is one that clients of models use.</summary>
    internal static bool IsOfModels(PathString path) => path.StartsWithSegments("/v1") || path.StartsWithSegments("/v2") || path.StartsWithSegments("/inference.GRPCInferenceService");

    /// <summary>
    /// The model that a request means: the one it names, or on a name of an endpoint's own, whatever it says, that endpoint's; null where
    /// the key's project is another.
    /// </summary>
    internal static ModelName? NameOf(HttpContext context, ProjectId project, string asked) =>
        context.Features.Get<HostRoute>() is not { Model: { } model } host ? new ModelName(project, asked) : host.Project == project ? new ModelName(project, model) : null;
}
