using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Workloads;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Rollouts;

namespace Cairn.Serving.Endpoints;

/// <summary>One version of what an endpoint runs, read once.</summary>
internal sealed record Revision(EndpointId Endpoint, int Number, ServeRequest Request, string? Sealed, WorkloadSpec Workload)
{
    public static Revision Of(RevisionRow row)
    {
        var request = row.Request.Value;
        var parsed = WorkloadParser.Parse(request.Workload, request.FileName ?? "workload.yaml");
        var workload = parsed.File?.Steps[0].Workload
            ?? throw new InvalidDataException($"Revision {row.Number} of endpoint {row.EndpointId} does not parse any more: {string.Join(" ", parsed.Errors)}");
        return new Revision(row.EndpointId, row.Number, request, row.Sealed, workload);
    }

    /// <summary>The name that the replicas know the model by; null where the endpoint serves none.</summary>
    public string? UpstreamModel(string? model) => model is null ? null : Request.UpstreamModel ?? Workload.Service?.Model ?? model;

    /// <summary>Nobody said what model it serves, if any: its replicas are asked.</summary>
    public bool GuessesModel => Request.Model is null && Request.UpstreamModel is null && Workload.Service?.Model is null;

    /// <summary>Where copies of its requests go; null copies none.</summary>
    public MirrorTarget? Mirror => Workload.Service?.Mirror is { } mirror ? new MirrorTarget(mirror.Endpoint, mirror.Percent) : null;

    /// <summary>How its replicas are split between machines that stay and those that can be taken away.</summary>
    public OnDemandSplit Split => new(Workload.Service?.OnDemandBase ?? 0, Workload.Service?.OnDemandPercent ?? 0, Workload.Where.Interruptible
        || Workload.Resources.AnyOf.Concat(Workload.Resources.Ordered).Any(r => r.Interruptible == true));

    /// <summary>The job of one replica.</summary>
    /// <param name="endpoint">Its name.</param>
    /// <param name="replica">Which.</param>
    /// <param name="avoid">Regions that it takes only where no other can be had.</param>
    /// <param name="secrets">Values of those that the workload names.</param>
    public SubmitJobRequest Job(string endpoint, ReplicaRow replica, IReadOnlyList<string> avoid, IReadOnlyDictionary<string, string>? secrets)
    {
        var suffix = $"-{replica.Id.ToString("N")[^6..]}";
        var name = endpoint.Length + suffix.Length > 63 ? endpoint[..(63 - suffix.Length)].TrimEnd('-') : endpoint;
        return new SubmitJobRequest
        {
            Workload = Text(replica.OnDemand, avoid), FileName = Request.FileName, Name = name + suffix, Env = Request.Env, Secrets = secrets, At = Request.At, Workdir = Request.Workdir,
        };
    }

    /// <summary>As it was written, unless something is asked of this replica alone.</summary>
    private string Text(bool onDemand, IReadOnlyList<string> avoid)
    {
        if (!onDemand && avoid.Count == 0)
            return Request.Workload;
        var workload = onDemand ? Staying(Workload) : Workload;
        workload = workload with { Where = workload.Where with { Avoid = [.. workload.Where.Avoid, .. avoid] } };
        return WorkloadWriter.ToYaml(new WorkloadFile { Name = workload.Name, Steps = [new StepSpec { Name = workload.Name, Workload = workload }] });
    }

    /// <summary>The same, but only where nothing is taken away.</summary>
    internal static WorkloadSpec Staying(WorkloadSpec workload)
    {
        var resources = workload.Resources;
        return workload with
        {
            Where = workload.Where with { Interruptible = false },
            Resources = resources with { AnyOf = [.. resources.AnyOf.Select(Stay)], Ordered = [.. resources.Ordered.Select(Stay)] },
        };

        static ResourceSpec Stay(ResourceSpec one) => one.Interruptible is null ? one : one with { Interruptible = false };
    }
}
