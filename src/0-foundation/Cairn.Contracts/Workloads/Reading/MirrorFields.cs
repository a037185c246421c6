namespace Cairn.Contracts.Workloads.Reading;

/// <summary>The fields of <c>service.mirror</c>; both must be there.</summary>
internal static class MirrorFields
{
    private const string Example = "a mapping such as {endpoint: next, percent: 10}";
    private static readonly MirrorSpec s_nothing = new("", 0);

    public static readonly FieldTable<ServiceSpec> Table = new FieldTable<ServiceSpec>("mirror", "service.mirror.")
        .Field("endpoint", (s, v) => s with { Mirror = (s.Mirror ?? s_nothing) with { Endpoint = WorkloadName.Read(v) } })
        .Field("percent", (s, v) => s with { Mirror = (s.Mirror ?? s_nothing) with { Percent = v.Int(1, 100) } });

    public static ServiceSpec Read(ServiceSpec service, FieldValue value)
    {
        if (value.Mapping is not { } mapping)
        {
            value.Expected(Example);
            return service;
        }
        if (mapping.Find("endpoint") is { Value: not Yaml.YamlScalar { IsNull: true } } && mapping.Find("percent") is { Value: not Yaml.YamlScalar { IsNull: true } })
            return Table.Read(value.Reader, mapping, service with { Mirror = null });
        Table.Read(value.Reader, mapping, service);
        value.Expected($"both endpoint and percent: {Example}");
        return service;
    }
}
