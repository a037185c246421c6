using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>Tells whose form a file is in by the fields it has.</summary>
internal static class Dialects
{
    public static WorkloadDialect Of(IReadOnlyList<YamlMapping> roots)
    {
        if (roots[0].Find("type") is not null)
            return WorkloadDialect.Dstack;
        var (sky, cairn) = (false, false);
        foreach (var root in roots)
        {
            cairn |= root.Find("steps") is not null;
            sky |= root.Find("execution") is not null;
            Weigh(WorkloadFields.Table, root, ref sky, ref cairn);
            if (root.Find("resources")?.Value is YamlMapping resources)
                Weigh(ResourceFields.Table, resources, ref sky, ref cairn);
            if (root.Find("service")?.Value is YamlMapping service)
                Weigh(ServiceFields.Table, service, ref sky, ref cairn);
        }

        return sky && !cairn ? WorkloadDialect.SkyPilot : WorkloadDialect.Cairn;
    }

    private static void Weigh<T>(FieldTable<T> table, YamlMapping mapping, ref bool sky, ref bool cairn)
    {
        foreach (var entry in mapping.Entries)
        {
            var field = table.Find(entry.Key.Text);
            sky |= field is not null && field.In.HasFlag(Spelling.SkyPilot) && !field.In.HasFlag(Spelling.Cairn);
            cairn |= field is { In: Spelling.Cairn };
        }
    }
}
