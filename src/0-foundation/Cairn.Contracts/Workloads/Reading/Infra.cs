namespace Cairn.Contracts.Workloads.Reading;

/// <summary>
/// SkyPilot's <c>infra</c>: <c>cloud</c>, <c>cloud/region</c>, <c>cloud/region/zone</c>, <c>k8s/context</c>, <c>ssh/pool</c>, with <c>*</c>
/// for any.
/// </summary>
internal static class Infra
{
    public static WorkloadSpec Read(WorkloadSpec workload, FieldValue value)
    {
        var text = value.Word("a place such as aws, aws/us-east-1 or k8s/my-context");
        var parts = text.Split('/', StringSplitOptions.TrimEntries);
        if (text.Length > 0 && (parts.Any(part => part.Length == 0) || (parts.Length > 3 && !IsKubernetes(parts[0]))))
        {
            value.Expected("a place such as aws, aws/us-east-1 or k8s/my-context");
            return workload;
        }

        if (IsKubernetes(parts[0]) && parts.Length > 2)
            parts = [parts[0], string.Join('/', parts.Skip(1))];
        if (parts.Length == 3 && parts[2] != "*")
            value.NotActedOn("a place is chosen by region; the zone is left open");
        var provider = WhereFields.ProviderName(parts[0]);
        var region = parts.Length > 1 ? parts[1] : "*";
        return (provider, region) switch
        {
            ("*", "*") => workload,
            ("*", _) => workload with { Where = workload.Where with { Regions = [region] } },
            (_, "*") => workload with { Where = workload.Where with { Providers = [provider] } },
            _ => workload with { Where = workload.Where with { Regions = [$"{provider}/{region}"] } },
        };
    }

    private static bool IsKubernetes(string cloud) => WhereFields.ProviderName(cloud) == "kubernetes";
}
