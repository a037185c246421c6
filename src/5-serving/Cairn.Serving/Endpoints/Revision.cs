using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Workloads;

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

    /// <summary>The job of one replica.</summary>
    public SubmitJobRequest Job(string endpoint, Guid replica, IReadOnlyDictionary<string, string>? secrets)
    {
        var suffix = $"-{replica.ToString("N")[^6..]}";
        var name = endpoint.Length + suffix.Length > 63 ? endpoint[..(63 - suffix.Length)].TrimEnd('-') : endpoint;
        return new SubmitJobRequest
        {
            Workload = Request.Workload, FileName = Request.FileName, Name = name + suffix, Env = Request.Env, Secrets = secrets, At = Request.At, Workdir = Request.Workdir,
        };
    }
}
