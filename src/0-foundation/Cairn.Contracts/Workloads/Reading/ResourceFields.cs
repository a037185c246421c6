using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>The fields of <c>resources</c>. SkyPilot keeps place, price and lifecycle there, so they write to the whole workload.</summary>
internal static class ResourceFields
{
    private const double MaxCpus = 100_000;

    public static readonly FieldTable<WorkloadSpec> Table =
        new FieldTable<WorkloadSpec>("resources", "resources.") { Elsewhere = AllFields.PlaceOf }
        .Field("cpus", (w, v) => With(w, r => r with { Cpus = Cpus(v) }), Spelling.SkyPilot)
        .Sugar(Spelling.Dstack, "cpu", "resources.cpus", (w, v) => With(w, r => r with { Cpus = Cpus(v) }))
        .Field("memory", (w, v) => With(w, r => r with { MemoryBytes = Memory(v) }), Spelling.SkyPilot | Spelling.Dstack)
        .Field("disk", (w, v) => With(w, r => r with { DiskBytes = Disk(v) }), Spelling.Dstack)
        .Sugar(Spelling.SkyPilot, "disk_size", "resources.disk", (w, v) => With(w, r => r with { DiskBytes = Disk(v) }))
        .Field("interconnect", (w, v) => With(w, r => r with { Interconnect = v.OneOf<InterconnectKind>() }))
        .Sugar(Spelling.SkyPilot, "network_tier", "resources.interconnect",
            (w, v) => With(w, r => r with { Interconnect = NetworkTier(v) }))
        .Field("node_labels", (w, v) => With(w, r => r with { NodeLabels = Labels.Read(v, r.NodeLabels) }))
        .Field("spread", (w, v) => With(w, r => r with { Spread = v.Bool() }))
        .Field("regions", (w, v) => w with { Where = w.Where with { Regions = WhereFields.Regions(v) } })
        .Field("interruptible", (w, v) => w with { Where = w.Where with { Interruptible = v.Bool() } })
        .Field("max_price", (w, v) => w with { Money = w.Money with { MaxPricePerHour = v.Hourly() } })
        .Sugar(Spelling.SkyPilot, "infra", "where.regions", Infra.Read)
        .Sugar(Spelling.SkyPilot, "cloud", "where.providers",
            (w, v) => w with { Where = w.Where with { Providers = [WhereFields.Provider(v)] } })
        .Sugar(Spelling.SkyPilot, "region", "where.regions", (w, v) => w with { Where = w.Where with { Regions = WhereFields.Regions(v) } })
        .Sugar(Spelling.SkyPilot, "use_spot", "where.interruptible", (w, v) => w with { Where = w.Where with { Interruptible = v.Bool() } })
        .Sugar(Spelling.SkyPilot, "max_hourly_cost", "money.max_price",
            (w, v) => w with { Money = w.Money with { MaxPricePerHour = v.Hourly() } })
        .Sugar(Spelling.SkyPilot, "labels", "labels", (w, v) => w with { Labels = Labels.Read(v, w.Labels) })
        .Sugar(Spelling.SkyPilot, "job_recovery", "retries", RetryFields.JobRecovery)
        .Sugar(Spelling.SkyPilot, "spot_recovery", "retries", RetryFields.JobRecovery)
        .Sugar(Spelling.SkyPilot, "priority", "priority", (w, v) => w with { Priority = v.Int(0, 100) })
        .Sugar(Spelling.SkyPilot, "ports", "service.port", ServiceFields.ResourcePorts)
        .Refused(Spelling.SkyPilot, "instance_type", "Cairn chooses machines by what they have; write accelerators, cpus and memory")
        .NotActedOn(Spelling.SkyPilot, "zone", "a place is chosen by region")
        .NotActedOn(Spelling.SkyPilot, "accelerator_args", "the accelerator's name says its kind and size")
        .NotActedOn(Spelling.SkyPilot, "disk_tier", "disks are chosen by size")
        .NotActedOn(Spelling.SkyPilot, "local_disk", "disks are chosen by size; write disk")
        .NotActedOn(Spelling.SkyPilot, "ephemeral_storage", "disks are chosen by size; write disk")
        .NotActedOn(Spelling.SkyPilot, "image_id", "the workload runs as a process on the node; install what it needs in setup")
        .NotActedOn(Spelling.SkyPilot, "autostop", "a machine is given back when its job ends")
        .NotActedOn(Spelling.SkyPilot, "priority_class", "write priority, 0 to 100")
        .NotActedOn(Spelling.Dstack, "shm_size", "a process sees all shared memory of its node")
        .Field("accelerators", (w, v) => WithAccelerators(w, AcceleratorGrammar.Read(v)), Spelling.SkyPilot)
        .Sugar(Spelling.Dstack, "gpu", "resources.accelerators", (w, v) => WithAccelerators(w, AcceleratorGrammar.Read(v)))
        .Field("any_of", (w, v) => Alternatives.Read(w, v, inOrder: false), Spelling.SkyPilot)
        .Field("ordered", (w, v) => Alternatives.Read(w, v, inOrder: true), Spelling.SkyPilot);

    public static WorkloadSpec With(WorkloadSpec workload, Func<ResourceSpec, ResourceSpec> change) =>
        workload with { Resources = change(workload.Resources) };

    private static WorkloadSpec WithAccelerators(WorkloadSpec workload, AcceleratorChoice choice)
    {
        var plain = workload.Resources with { AnyOf = [], Ordered = [], Accelerators = null };
        var all = choice.Specs.Select(spec => plain with { Accelerators = spec }).ToList();
        return workload with
        {
            Resources = all.Count switch
            {
                0 => plain,
                1 => all[0],
                _ => choice.InOrder ? plain with { Ordered = all } : plain with { AnyOf = all },
            },
        };
    }

    private static Range<double> Cpus(FieldValue value)
    {
        if (value.Mapping is { } mapping)
        {
            if (mapping.Find("arch") is { } arch)
                value.Of(arch.Key).NotActedOn("the processor's architecture is not chosen; use node_labels");
            return mapping.Find("count") is { } count ? Cpus(value.Of(count.Value)) : default;
        }

        var text = value.Scalar ?? "";
        if (text.IndexOf(':') is var colon and > 0 && text[..colon].Trim().ToLowerInvariant() is "x86" or "arm")
        {
            value.NotActedOn("the processor's architecture is not chosen; use node_labels");
            text = text[(text.IndexOf(':') + 1)..];
        }

        if (Ranges.TryCount(text, exact: false, out var range) && (range.Min ?? 0) <= MaxCpus && range.Max is null or > 0)
            return range;
        value.Expected("virtual CPUs, such as 8 (at least 8), 8+, 8..16 or ..16");
        return default;
    }

    private static Range<long> Memory(FieldValue value)
    {
        if (value.Scalar is { } text && Ranges.TrySize(text, exact: false, out var range))
            return range;
        value.Expected("memory, such as 64GB (at least 64 GB), 64GB+, 64GB..128GB, or a number of GB");
        return default;
    }

    private static long Disk(FieldValue value)
    {
        if (value.Mapping?.Find("size") is { } size)
            return Disk(value.Of(size.Value));
        if (value.Scalar is { } text && Ranges.TrySize(text, exact: false, out var range))
        {
            if (range.Max is not null)
                value.NotActedOn("a disk has a least size and no most");
            return range.Min ?? 0;
        }

        value.Expected("a size of scratch disk, such as 256GB or 256GB..");
        return 0;
    }

    private static InterconnectKind NetworkTier(FieldValue value)
    {
        switch (value.Scalar?.ToLowerInvariant())
        {
            case "best":
                return InterconnectKind.Roce;
            case "standard":
                return InterconnectKind.None;
            default:
                value.Expected("best or standard");
                return InterconnectKind.None;
        }
    }
}
