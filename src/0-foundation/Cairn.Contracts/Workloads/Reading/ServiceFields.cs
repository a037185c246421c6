using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>The fields of <c>service</c>: Cairn's, SkyPilot's under the same name, and dstack's, which stand beside the others.</summary>
internal static class ServiceFields
{
    private const int MaxReplicas = 10_000;
    private const long MaxScaleDownDelaySeconds = 24 * 3600;

    public static readonly FieldTable<ServiceSpec> Table =
        new FieldTable<ServiceSpec>("service", "service.") { Elsewhere = AllFields.PlaceOf }
        .Field("port", (s, v) => s with { Port = Port(v) })
        .Field("grpc_port", (s, v) => s with { GrpcPort = Port(v) })
        .Field("replicas", Replicas, Spelling.SkyPilot)
        .Field("readiness", ReadinessFields.Read)
        .Field("model", (s, v) => s with { Model = v.Word("a model's name") })
        .Field("hosts", (s, v) => s with { Hosts = v.Words("DNS names", Host) })
        .Field("adapters", (s, v) => s with { Adapters = v.Words("adapters", one => one.Word("an adapter's name")) })
        .Field("slo",
            (s, v) => v.Mapping is { } m ? SloTable!.Read(v.Reader, m, s) : Wrong(s, v, "a mapping such as {time_to_first_token: 300ms}"))
        .Field("target_rps", (s, v) => s with { TargetRequestsPerSecond = v.Number(0, 1e9) })
        .Field("scale_down_delay", (s, v) => s with { ScaleDownDelaySeconds = ScaleDownDelay(v) })
        .Field("utilization", (s, v) => s with { Utilization = v.Number(0, 1) })
        .Field("spread", (s, v) => s with { Spread = v.Bool() })
        .Field("on_demand",
            (s, v) => v.Mapping is { } m ? OnDemandTable!.Read(v.Reader, m, s) : Wrong(s, v, "a mapping such as {base: 1, percent: 20}"))
        .Field("mirror", MirrorFields.Read)
        .Sugar(Spelling.SkyPilot, "readiness_probe", "service.readiness", ReadinessFields.ReadSkyPilot)
        .Sugar(Spelling.SkyPilot, "replica_policy", "service.replicas", (s, v) =>
            v.Mapping is { } m ? PolicyTable!.Read(v.Reader, m, s) : Wrong(s, v, "a mapping such as {min_replicas: 1, max_replicas: 4}"))
        .Sugar(Spelling.SkyPilot, "ports", "service.port", (s, v) => s with { Port = Port(v) })
        .NotActedOn(Spelling.SkyPilot, "load_balancing_policy", "the gateway's routing is chosen with the service")
        .NotActedOn(Spelling.SkyPilot, "tls", "certificates belong to the gateway")
        .NotActedOn(Spelling.SkyPilot, "load_balancer", "the gateway's routing is chosen with the service")
        .NotActedOn(Spelling.SkyPilot, "pool", "workers are nodes that joined");

    public static readonly FieldTable<ServiceSpec> SloTable = new FieldTable<ServiceSpec>("slo", "service.slo.")
        .Field("time_to_first_token", (s, v) => s with { TimeToFirstTokenMs = Milliseconds(v) });

    public static readonly FieldTable<ServiceSpec> OnDemandTable = new FieldTable<ServiceSpec>("on_demand", "service.on_demand.")
        .Field("base", (s, v) => s with { OnDemandBase = v.Int(0, MaxReplicas) })
        .Field("percent", (s, v) => s with { OnDemandPercent = v.Number(0, 100) });

    public static readonly FieldTable<ServiceSpec> PolicyTable = new FieldTable<ServiceSpec>("replica_policy", "replica_policy.")
        .Sugar(Spelling.SkyPilot, "min_replicas", "service.replicas.min",
            (s, v) => s with { MinReplicas = v.Int(0, MaxReplicas), MaxReplicas = Math.Max(s.MaxReplicas, v.Int(0, MaxReplicas)) })
        .Sugar(Spelling.SkyPilot, "max_replicas", "service.replicas.max",
            (s, v) => s with { MaxReplicas = v.Int(Math.Max(1, s.MinReplicas), MaxReplicas) })
        .Sugar(Spelling.SkyPilot, "target_qps_per_replica", "service.target_rps",
            (s, v) => s with { TargetRequestsPerSecond = v.Number(0, 1e9) })
        .Sugar(Spelling.SkyPilot, "downscale_delay_seconds", "service.scale_down_delay", (s, v) => s with { ScaleDownDelaySeconds = ScaleDownDelay(v) })
        .Sugar(Spelling.SkyPilot, "base_ondemand_fallback_replicas", "service.on_demand.base", (s, v) => s with { OnDemandBase = v.Int(0, MaxReplicas) })
        .NotActedOn(Spelling.SkyPilot, "upscale_delay_seconds", "more replicas begin as soon as the load asks for them")
        .NotActedOn(Spelling.SkyPilot, "dynamic_ondemand_fallback", "where no interruptible machine can be had, one that is not is taken in any case")
        .NotActedOn(Spelling.SkyPilot, "num_overprovision", "the number of replicas follows the load")
        .NotActedOn(Spelling.SkyPilot, "spot_placer", "after a loss every place is planned anew");

    private static readonly FieldTable<ServiceSpec> s_scaling = new FieldTable<ServiceSpec>("scaling", "scaling.")
        .Sugar(Spelling.Dstack, "metric", "", (s, v) => v.Scalar == "rps" ? s : Wrong(s, v, "rps"))
        .Sugar(Spelling.Dstack, "target", "service.target_rps", (s, v) => s with { TargetRequestsPerSecond = v.Number(0, 1e9) })
        .Sugar(Spelling.Dstack, "scale_down_delay", "service.scale_down_delay", (s, v) => s with { ScaleDownDelaySeconds = ScaleDownDelay(v) })
        .NotActedOn(Spelling.Dstack, "scale_up_delay", "more replicas begin as soon as the load asks for them")
        .NotActedOn(Spelling.Dstack, "window", "the autoscaler has its own window");

    public static WorkloadSpec Read(WorkloadSpec workload, FieldValue value)
    {
        if (value.Mapping is not { } mapping)
        {
            value.Expected("a mapping such as {port: 8000, replicas: 1..4}");
            return workload;
        }

        return Serving(workload, seed => Table.Read(value.Reader, mapping, seed));
    }

    /// <summary>Changes the service, and makes the workload one that serves.</summary>
    public static WorkloadSpec Serving(WorkloadSpec workload, Func<ServiceSpec, ServiceSpec> change) =>
        workload with { Kind = WorkloadKind.Serve, Service = change(workload.Service ?? new ServiceSpec { Port = 0 }) };

    /// <summary>SkyPilot's <c>resources.ports</c> is the port of the service where there is one.</summary>
    public static WorkloadSpec ResourcePorts(WorkloadSpec workload, FieldValue value)
    {
        if (workload.Service is { Port: 0 } service)
            return workload with { Service = service with { Port = Port(value) } };
        value.NotActedOn("ports of a job are not opened");
        return workload;
    }

    public static WorkloadSpec DstackScaling(WorkloadSpec workload, FieldValue value) => value.Mapping is { } mapping
        ? Serving(workload, service => s_scaling.Read(value.Reader, mapping, service))
        : workload with { Service = Wrong(workload.Service!, value, "a mapping such as {metric: rps, target: 5}") };

    public static ServiceSpec Replicas(ServiceSpec service, FieldValue value)
    {
        if (Ranges.TryCount(value.Scalar ?? "", exact: true, out var range)
            && (range.Min ?? 0) is var min && (range.Max ?? min) is var max && double.IsInteger(min) && double.IsInteger(max)
                && max is > 0 and <= MaxReplicas)
            return service with { MinReplicas = (int)min, MaxReplicas = (int)max };
        return Wrong(service, value, $"a number of replicas or a range such as 1..4, at most {MaxReplicas:N0}");
    }

    /// <summary>A port, or dstack's <c>80:8000</c> of which the second is the workload's.</summary>
    public static int Port(FieldValue value)
    {
        var text = value.Scalar ?? (value.Node is YamlSequence { Items: [YamlScalar only] } ? only.Text : "");
        if (text.IndexOf(':') is var colon and > 0)
            text = text[(colon + 1)..];
        if (int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture,
            out var port) && port is > 0 and <= 65535)
            return port;
        value.Expected("a port from 1 to 65535");
        return 1;
    }

    /// <summary>A model's name, or dstack's mapping that has one.</summary>
    public static string? Model(FieldValue value) =>
        value.Mapping?.Find("name") is { } name ? value.Of(name.Value).Word("a model's name") : value.Word("a model's name");

    private static long ScaleDownDelay(FieldValue value)
    {
        var seconds = value.Seconds();
        if (seconds <= MaxScaleDownDelaySeconds)
            return seconds;
        value.Expected("a duration of at most 24h");
        return 0;
    }

    private static string Host(FieldValue value)
    {
        if (HostName.TryParse(value.Scalar, out var host))
            return host;
        value.Expected(HostName.Expected);
        return "";
    }

    private static double Milliseconds(FieldValue value)
    {
        if (value.Scalar is { } text && Duration.TryParseMilliseconds(text, out var ms) && ms > 0)
            return ms;
        value.Expected("a time above 0, such as 300ms");
        return 1;
    }

    private static ServiceSpec Wrong(ServiceSpec service, FieldValue value, string expected)
    {
        value.Expected(expected);
        return service;
    }
}
