using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using CsCheck;

namespace Cairn.Contracts.Tests.Workloads;

/// <summary>Workload files of every shape that the parser can give.</summary>
internal static class WorkloadGen
{
    private const long Gibibyte = 1L << 30;

    private static readonly Gen<string> s_name =
        Gen.Select(Gen.Char["abcdefghijklmnopqrstuvwxyz0123456789"], Gen.String[Gen.Char["abcxyz019-"], 0, 20]).Select((first, rest) => first + rest);

    private static readonly Gen<string> s_identifier = Gen.Select(Gen.Char["ABCXYZ_abc"], Gen.String[Gen.Char["ABC_09az"], 0, 12]).Select((first, rest) => first + rest);

    /// <summary>Everything that text may hold: blanks at both ends, quotes, colons, line breaks, controls, other planes.</summary>
    private static readonly Gen<string> s_text =
        Gen.OneOf(Gen.Char["ab \t\n:#'\"\\-[]{},&*!|>%@`~?=$"].Select(c => c.ToString()), OneOf("é", "😀", "\u2028", "\u0085", "\u0007", "\uFEFF", "\r", "null", "0x1", "...", "---"))
            .Array[0, 30].Select(string.Concat);

    private static readonly Gen<string> s_word = Gen.OneOf(
        Gen.String[Gen.Char["abc XYZ019:#'\"\\-[]{},&*!|>%@`~?=$é/._"], 1, 20].Where(word => !string.IsNullOrWhiteSpace(word)),
        OneOf("null", "true", "~", "1", "2020-01-01", "a: b", "- a", "yes", "*x", "0.5"));

    private static readonly Gen<string> s_script = Gen.OneOf(
        s_text.Where(text => !string.IsNullOrWhiteSpace(text)),
        Gen.String[Gen.Char["abc $#'\"\\|&;"], 1, 30].Where(line => line.Trim().Length > 0).Array[1, 6].Select(lines => string.Join("\n", lines) + "\n"));

    private static readonly Gen<long> s_bytes = Gen.OneOf(Gen.Long[0, 1000].Select(n => n * 1_000_000_000), Gen.Long[0, 1000].Select(n => n * Gibibyte), Gen.Long[0, 1L << 50]);

    private static readonly Gen<long> s_seconds = Gen.Long[1, Duration.MaxSeconds];

    private static readonly Gen<HourlyPrice> s_price = Gen.Long[0, 1_000_000_000].Select(micros => new HourlyPrice(micros));

    private static readonly Gen<IReadOnlyDictionary<string, string>> s_labels =
        Gen.Select(s_word, Gen.OneOf(s_word, Gen.Const(""))).Array[0, 3].Select(ToDictionary);

    private static readonly Gen<AcceleratorSpec> s_accelerators = Gen.Select(
        OneOf("H100", "A100-80GB", "RTX4090", "L4", "MI300X", "TPU-V5P").Array[0, 3],
        OneOf(null, "nvidia", "amd", "google"),
        Gen.OneOf(Gen.Const(default(Range<long>)), Range(Gen.Long[1, 200].Select(n => n * Gibibyte))),
        Gen.OneOf(OneOf(0.25, 0.5).Select(n => new Range<double>(n, n)), Range(Gen.Int[1, 1024].Select(n => (double)n))),
        (names, vendor, memory, count) => new AcceleratorSpec { Names = [.. names.Distinct()], Vendor = vendor, MemoryBytes = memory, Count = count });

    private static readonly Gen<ResourceSpec> s_plainResources = Gen.Select(
        Gen.OneOf(Gen.Const((AcceleratorSpec?)null), s_accelerators!),
        Gen.OneOf(Gen.Const(default(Range<double>)), Range(Gen.Int[1, 4000].Select(n => n / 4.0))),
        Gen.OneOf(Gen.Const(default(Range<long>)), Range(s_bytes)),
        s_bytes,
        Gen.Enum<InterconnectKind>(),
        s_labels,
        Gen.Bool,
        (accelerators, cpus, memory, disk, interconnect, labels, spread) => new ResourceSpec
        {
            Accelerators = accelerators, Cpus = cpus, MemoryBytes = memory, DiskBytes = disk, Interconnect = interconnect, NodeLabels = labels, Spread = spread,
        });

    private static readonly Gen<ResourceSpec> s_resources = Gen.Select(
        s_plainResources,
        Gen.Select(
            s_accelerators,
            OneOf("us-*", "aws/us-east-1", "aws/*").Array[0, 2],
            OneOf<bool?>(null, true, false),
            Gen.OneOf(Gen.Const((HourlyPrice?)null), s_price.Select(price => (HourlyPrice?)price))).Array[2, 3],
        Gen.Int[0, 2],
        (outer, alternatives, shape) =>
        {
            var all = alternatives.Select(one => outer with { Accelerators = one.Item1, Regions = [.. one.Item2.Distinct()], Interruptible = one.Item3, MaxPricePerHour = one.Item4 }).ToList();
            return shape switch { 0 => outer, 1 => outer with { AnyOf = all }, _ => outer with { Ordered = all } };
        });

    private static readonly Gen<WhereSpec> s_where = Gen.Select(
        Gen.Enum<DeploymentModel>().Array[0, 3],
        OneOf("aws", "io.net", "kubernetes").Array[0, 2],
        OneOf("us-*", "aws/us-east-1", "eu-west-1").Array[0, 2],
        OneOf("DE", "EU", "US", "NO").Array[0, 2],
        Gen.OneOf(Gen.Const((LatencySpec?)null), Gen.Select(Gen.Double[0.001, 60_000], Gen.Select(s_word, Gen.Double[-90, 90], Gen.Double[-180, 180]).Array[1, 3]).Select(
            (max, from) => (LatencySpec?)new LatencySpec { MaxMs = Math.Round(max, 3), From = [.. from.Select(place => new PlaceSpec(place.Item1, new GeoPoint(place.Item2, place.Item3)))] })),
        Gen.OneOf(Gen.Const((double?)null), Gen.Double[0, 100].Select(percent => (double?)percent)),
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Enum<TrustTier>(), OneOf("soc2", "gdpr").Array[0, 2]),
        (models, providers, regions, residency, latency, availability, rest) => new WhereSpec
        {
            DeploymentModels = [.. models.Distinct()], Providers = [.. providers.Distinct()], Regions = [.. regions.Distinct()], Residency = [.. residency.Distinct()],
            Latency = latency, AvailabilityPercent = availability, Offline = rest.Item1, Interruptible = rest.Item2, Trust = rest.Item3,
            Certifications = [.. rest.Item4.Distinct()],
        });

    private static readonly Gen<MoneySpec> s_money = Gen.Select(
        Optional(s_price), Optional(Gen.Long[1, 1_000_000_000_000].Select(micros => new Money(micros))), Optional(s_seconds), Optional(s_seconds), Optional(s_seconds),
        (price, budget, deadline, expected, max) => new MoneySpec
        {
            MaxPricePerHour = price, Budget = budget, DeadlineSeconds = deadline, ExpectedDurationSeconds = expected, MaxDurationSeconds = max,
        });

    private static readonly Gen<DataSpec[]> s_data = Gen.Select(
        OneOf(null, "data/in", "out", "a b/c"), s_bytes, Gen.OneOf(Gen.Const((string?)null), s_word!),
        (path, size, place) => new DataSpec { Name = "", Path = path, SizeBytes = size, Place = place })
        .Array[0, 3].Select(all => all.Select((one, index) => one with { Name = $"data-{index}" }).ToArray());

    private static readonly Gen<RetrySpec> s_retries = Gen.Select(
        Gen.Int[0, 1000], Gen.Int[0, 255].Array[0, 3], Gen.Enum<RestartPolicy>(), Gen.Int[0, 1000], Gen.Enum<DisconnectedPolicy>(),
        (max, codes, restart, lost, disconnected) => new RetrySpec { Max = max, OnExitCodes = [.. codes.Distinct()], Restart = restart, MaxLost = lost, Disconnected = disconnected });

    private static readonly Gen<ServiceSpec> s_readiness = Gen.Select(
        Gen.OneOf(Gen.Const((string?)null), s_text!), s_word.Array[0, 2], Gen.Long[1, 600], Optional(s_seconds),
        (body, headers, timeout, within) => new ServiceSpec
        {
            Port = 0, ReadinessPath = body is null ? null : "/health", ReadinessBody = body, ReadinessTimeoutSeconds = timeout,
            ReadinessHeaders = new SortedDictionary<string, string>(headers.Select((value, i) => ($"X-{i}", value)).ToDictionary(), StringComparer.Ordinal),
            StartWithinSeconds = within is > 0 ? within : null,
        });

    private static readonly Gen<ServiceSpec?> s_service = Gen.OneOf(
        Gen.Const((ServiceSpec?)null),
        Gen.Select(
            Gen.Select(Gen.Int[1, 65535], Gen.Int[0, 5], Gen.Int[1, 9], Gen.OneOf(Gen.Const((string?)null), s_word!), Optional(Gen.Double[0, 1e6]), Gen.Double[0, 1]),
            Gen.Select(s_word.Array[0, 3], Gen.Int[0, 9], Gen.Double[0, 100], Optional(Gen.Long[0, 86_400])),
            s_readiness).Select((usual, more, ready) =>
            {
                var (port, min, range, model, rate, utilization) = usual;
                var (adapters, onDemand, percent, delay) = more;
                return (ServiceSpec?)(ready with
                {
                    Port = port, MinReplicas = min, MaxReplicas = min + range, Model = model, TargetRequestsPerSecond = rate, Utilization = utilization,
                    TimeToFirstTokenMs = rate is null ? null : 250, Adapters = [.. adapters.Distinct()], OnDemandBase = onDemand, OnDemandPercent = percent, Spread = onDemand > 4,
                    ScaleDownDelaySeconds = delay, Hosts = rate is null ? ["a.example.com", "b.example.com"] : [],
                    Mirror = percent >= 1 ? new MirrorSpec("next-1", (int)percent) : null,
                });
            }));

    private static readonly Gen<WorkloadSpec> s_workload = Gen.Select(
        Gen.Select(s_resources, s_where, s_money, s_retries, s_service),
        Gen.Select(s_data, s_data, Optional(Gen.Select(s_seconds, s_bytes, (interval, size) => new Pair(interval, size)))),
        Gen.Select(s_identifier, s_text).Array[0, 4],
        s_identifier.Array[0, 3],
        Gen.Select(Gen.OneOf(Gen.Const((string?)null), s_script!), Gen.OneOf(Gen.Const((string?)null), s_script!), Gen.OneOf(Gen.Const((string?)null), s_word!)),
        Gen.Select(Gen.Int[1, 100_000], Gen.Int[0, 100], Gen.Int[0, 3600], Gen.Enum<WorkloadKind>()),
        s_labels,
        (parts, data, env, names, texts, numbers, labels) => new WorkloadSpec
        {
            Name = "w",
            Resources = parts.Item1, Where = parts.Item2, Money = parts.Item3, Retries = parts.Item4, Service = parts.Item5,
            Kind = parts.Item5 is null ? numbers.Item4 : WorkloadKind.Serve,
            Inputs = data.Item1, Outputs = data.Item2,
            Checkpoints = data.Item3 is { } kept ? new CheckpointSpec { Path = "ckpt", IntervalSeconds = kept.First, SizeBytes = kept.Second } : null,
            Env = ToDictionary(env),
            RequiredEnv = [.. names.Distinct().Where(name => env.All(pair => pair.Item1 != name))],
            Secrets = [.. names.Distinct()],
            Setup = texts.Item1, Run = texts.Item2, Workdir = texts.Item3,
            Nodes = numbers.Item1, Priority = numbers.Item2, StopGraceSeconds = numbers.Item3, Labels = labels,
        });

    /// <summary>A DAG: each step needs some of those before it in a random order of the file.</summary>
    public static readonly Gen<WorkloadFile> File = Gen.Select(s_name, s_workload.Array[1, 4], Gen.Int[0, 1 << 16], Gen.Bool, (name, workloads, edges, single) =>
    {
        if (single)
            return new WorkloadFile { Name = name, Steps = [new StepSpec { Name = name, Workload = workloads[0] with { Name = name } }] };
        var steps = workloads.Select((workload, index) => new StepSpec
        {
            Name = $"step-{index}",
            Workload = workload with { Name = $"step-{index}" },
            Needs = [.. Enumerable.Range(0, index).Where(earlier => (edges >> (index * 4 + earlier) & 1) == 1).Select(earlier => $"step-{earlier}")],
        });
        return new WorkloadFile { Name = name, Steps = [.. edges % 2 == 0 ? steps : steps.Reverse()] };
    });

    private readonly record struct Pair(long First, long Second);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static Gen<T?> Optional<T>(Gen<T> gen) where T : struct => Gen.OneOf(Gen.Const((T?)null), gen.Select(value => (T?)value));

    private static Gen<Range<T>> Range<T>(Gen<T> gen) where T : struct, IComparable<T> => Gen.Select(gen, gen, Gen.Int[0, 2], (a, b, shape) => shape switch
    {
        0 => new Range<T>(a, null),
        1 => new Range<T>(null, a),
        _ => a.CompareTo(b) <= 0 ? new Range<T>(a, b) : new Range<T>(b, a),
    });

    private static IReadOnlyDictionary<string, string> ToDictionary(IEnumerable<(string, string)> pairs)
    {
        var words = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in pairs)
            words[key] = value;
        return words;
    }
}
