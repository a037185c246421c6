using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads.Reading;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads;

/// <summary>Writes the canonical form of <c>service</c>.</summary>
internal static class ServiceText
{
    public static void Write(YamlText text, ServiceSpec service)
    {
        var usual = new ServiceSpec { Port = 0 };
        text.Bare("port", Numbers.Format(service.Port));
        if (service.GrpcPort != 0)
            text.Bare("grpc_port", Numbers.Format(service.GrpcPort));
        if ((service.MinReplicas, service.MaxReplicas) != (1, 1))
            text.Bare("replicas", $"{Numbers.Format(service.MinReplicas)}..{Numbers.Format(service.MaxReplicas)}");
        Readiness(text, service, usual);
        text.Field("model", service.Model);
        text.Words("hosts", service.Hosts);
        text.Words("adapters", service.Adapters);
        if (service.TimeToFirstTokenMs is { } ms)
            text.Map("slo", () => text.Bare("time_to_first_token", Numbers.Format(ms) + "ms"));
        if (service.TargetRequestsPerSecond is { } rate)
            text.Bare("target_rps", Numbers.Format(rate));
        if (service.ScaleDownDelaySeconds is { } delay)
            text.Bare("scale_down_delay", Duration.Format(delay));
        if (service.Utilization != usual.Utilization)
            text.Bare("utilization", Numbers.Format(service.Utilization));
        if (service.Spread)
            text.Bare("spread", "true");
        text.Section("on_demand", () =>
        {
            if (service.OnDemandBase != usual.OnDemandBase)
                text.Bare("base", Numbers.Format(service.OnDemandBase));
            if (service.OnDemandPercent != usual.OnDemandPercent)
                text.Bare("percent", Numbers.Format(service.OnDemandPercent));
        });
        if (service.Mirror is { } mirror)
        {
            text.Map("mirror", () =>
            {
                text.Field("endpoint", mirror.Endpoint);
                text.Bare("percent", Numbers.Format(mirror.Percent));
            });
        }
    }

    private static void Readiness(YamlText text, ServiceSpec service, ServiceSpec usual)
    {
        var pathAlone = service.ReadinessBody is null && service.ReadinessHeaders.Count == 0
            && service.ReadinessTimeoutSeconds == usual.ReadinessTimeoutSeconds && service.StartWithinSeconds is null;
        if (pathAlone)
        {
            text.Field("readiness", service.ReadinessPath);
            return;
        }

        text.Map("readiness", () =>
        {
            text.Field("path", service.ReadinessPath);
            text.Field("body", service.ReadinessBody);
            text.Words("headers", service.ReadinessHeaders);
            if (service.ReadinessTimeoutSeconds != usual.ReadinessTimeoutSeconds)
                text.Bare("timeout", Duration.Format(service.ReadinessTimeoutSeconds));
            if (service.StartWithinSeconds is { } seconds)
                text.Bare("start_within", Duration.Format(seconds));
        });
    }
}
