using Cairn.Contracts.Api;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Serving.Autoscaling;

namespace Cairn.Serving.Endpoints;

/// <summary>A wish that was read.</summary>
/// <param name="Hosts">Null where nothing was said of them.</param>
internal sealed record EndpointDraft(WorkloadSpec Workload, string Name, ScalingSpec Scaling, IReadOnlyList<string>? Hosts);

/// <summary>Reads what people want of endpoints; pure. Every mistake at once.</summary>
internal static class EndpointWish
{
    private const int MostNameLength = 50; // a replica's job adds a suffix

    public static (EndpointDraft? Draft, EndpointOutcome? Refused) Read(ServeRequest request, HostClaims claims)
    {
        var file = request.FileName ?? "workload.yaml";
        var parsed = WorkloadParser.Parse(request.Workload, file);
        if (parsed.File is not { } read)
        {
            return (null, EndpointOutcome.Refused(
                ProblemCodes.InvalidWorkload, $"{file} is not a workload.", [.. parsed.Errors.Select(e => e.ToString())]));
        }
        if (read.Steps is not [{ Workload: { Service: { } service } workload }])
        {
            return (null, EndpointOutcome.Refused(
                ProblemCodes.InvalidWorkload, $"{file} is not one workload with a service; give it 'service: {{port: 8000}}'."));
        }
        var errors = new List<string>();
        var name = request.Name ?? workload.Name;
        if (!IsName(name))
            errors.Add($"The name '{name}' is not valid; expected lower-case letters, digits and hyphens, at most {MostNameLength}.");
        if (MirrorsItself(workload, name) is { } itself)
            errors.Add(itself);
        if (workload.Nodes != 1)
            errors.Add($"The workload asks for {workload.Nodes} nodes; a replica is one node.");
        if (request.InputPrice is < 0 || request.OutputPrice is < 0)
            errors.Add("A price per million tokens is negative; expected 0 or more.");
        if (request.ContextLength is < 0 || request.ReplicaConcurrency is < 0)
            errors.Add("context_length and replica_concurrency are 0 or more.");
        var scaling = Merge(ScalingOf(service), request.Scaling ?? new ScalingRequest());
        errors.AddRange(scaling.Problems());
        var (hosts, wrong) = claims.Read(request.Hosts ?? service.Hosts);
        errors.AddRange(wrong);
        if (errors.Count > 0)
            return (null, EndpointOutcome.Refused(ProblemCodes.InvalidRequest, errors[0], errors));
        var named = request.Hosts is null && hosts.Count == 0 ? null : hosts;
        return (new EndpointDraft(workload, name, scaling, named), null);
    }

    /// <summary>What is wrong where the workload's mirror is the endpoint of this name; null where it is not.</summary>
    public static string? MirrorsItself(WorkloadSpec workload, string name) => workload.Service?.Mirror?.Endpoint == name
        ? $"service.mirror.endpoint is '{name}', the endpoint itself; expected another endpoint of the project."
        : null;

    /// <summary>The scaling with what is named in place of what was.</summary>
    public static ScalingSpec Merge(ScalingSpec scaling, ScalingRequest wish) => scaling with
    {
        MinReplicas = wish.Min ?? Math.Min(scaling.MinReplicas, wish.Max ?? int.MaxValue),
        MaxReplicas = wish.Max ?? Math.Max(scaling.MaxReplicas, wish.Min ?? 0),
        TargetConcurrency = wish.TargetConcurrency ?? scaling.TargetConcurrency,
        TargetRequestsPerSecond = wish.TargetRequestsPerSecond ?? scaling.TargetRequestsPerSecond,
        TimeToFirstTokenMs = wish.TimeToFirstTokenMs ?? scaling.TimeToFirstTokenMs,
        StableWindow = Seconds(wish.WindowSeconds, 0) ?? scaling.StableWindow,
        PanicWindow = wish.WindowSeconds is { } calm
            ? TimeSpan.FromSeconds(Math.Max(1, Math.Clamp(calm, 0, 1e6) / 10))
            : scaling.PanicWindow,
        ScaleDownDelay = Seconds(wish.ScaleDownDelaySeconds, -1) ?? scaling.ScaleDownDelay,
        ScaleToZeroDelay = Seconds(wish.ScaleToZeroDelaySeconds, -1) ?? scaling.ScaleToZeroDelay,
        SpendCap = wish.SpendCapUsdPerHour is { } cap ? HourlyPrice.FromUsd(cap) : scaling.SpendCap,
    };

    public static EndpointSettings SettingsOf(ServeRequest request) => new()
    {
        InputPrice = request.InputPrice ?? 0,
        OutputPrice = request.OutputPrice ?? 0,
        ContextLength = request.ContextLength ?? 0,
        ReplicaConcurrency = request.ReplicaConcurrency ?? 0,
        Fallbacks = request.Fallbacks ?? [],
    };

    private static bool IsName(string name) =>
        name.Length is > 0 and <= MostNameLength
        && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')
        && !name.StartsWith('-') && !name.EndsWith('-');

    private static ScalingSpec ScalingOf(ServiceSpec service) => new()
    {
        MinReplicas = service.MinReplicas,
        MaxReplicas = Math.Max(1, service.MaxReplicas),
        TargetRequestsPerSecond = service.TargetRequestsPerSecond,
        TimeToFirstTokenMs = service.TimeToFirstTokenMs,
        ScaleDownDelay = service.ScaleDownDelaySeconds is { } delay ? TimeSpan.FromSeconds(delay) : new ScalingSpec().ScaleDownDelay,
    };

    // Out of range stays so, for ScalingSpec.Problems to name it, but within what a TimeSpan can hold.
    private static TimeSpan? Seconds(double? wish, double least) =>
        wish is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, least, 1e6)) : null;
}
