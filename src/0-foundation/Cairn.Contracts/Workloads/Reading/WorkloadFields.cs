using Cairn.Contracts.Frameworks;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>
/// The fields of a workload. <c>steps</c>, <c>needs</c>, <c>type</c> and a group's header are read by <see cref="FileReader"/>.
/// </summary>
internal static class WorkloadFields
{
    private const Spelling Sky = Spelling.SkyPilot;
    private const Spelling Dstack = Spelling.Dstack;

    public static readonly FieldTable<WorkloadSpec> Table = Sugar(Canonical(
        new FieldTable<WorkloadSpec>("a workload", "") { Elsewhere = AllFields.PlaceOf, AllowsExtensions = true }));

    private static FieldTable<WorkloadSpec> Canonical(FieldTable<WorkloadSpec> table) => table
        .Field("name", (w, v) => w with { Name = WorkloadName.Read(v) }, Spelling.All)
        .Field("project", (w, v) => w with { Project = WorkloadName.Read(v) })
        .Field("kind", (w, v) => w with { Kind = v.OneOf<WorkloadKind>() })
        .Field("nodes", (w, v) => w with { Nodes = v.Int(1, 100_000) }, Dstack)
        .Field("service", ServiceFields.Read, Sky)
        .Field("resources", Resources, Spelling.All)
        .Field("where", (w, v) => v.Mapping is { } m ? w with { Where =
            WhereFields.Table.Read(v.Reader, m, w.Where) } : Wrong(w, v, "where it may run"))
        .Field("money", (w, v) => v.Mapping is { } m ? w with { Money =
            MoneyFields.Table.Read(v.Reader, m, w.Money) } : Wrong(w, v, "what it may cost"))
        .Field("inputs", (w, v) => w with { Inputs = DataFields.Read(v, v.Reader.StepNames) }, Sky)
        .Field("outputs", (w, v) => w with { Outputs = Outputs(v) }, Sky)
        .Field("workdir", Workdir, Sky)
        .Field("env", EnvFields.ReadEnv, Dstack)
        .Field("secrets", EnvFields.ReadSecrets, Sky)
        .Field("setup", (w, v) => w with { Setup = v.Script() }, Spelling.All)
        .Field("run", (w, v) => w with { Run = v.Script() }, Sky)
        .Field("framework", (w, v) => w with { Framework = Framework(v) })
        .Field("checkpoints", (w, v) => w with { Checkpoints = CheckpointFields.Read(v, w.Checkpoints) })
        .Field("retries", (w, v) => w with { Retries = RetryFields.Read(v, w.Retries) })
        .Field("priority", (w, v) => w with { Priority = v.Int(0, 100) }, Dstack)
        .Field("labels", (w, v) => w with { Labels = Labels.Read(v, w.Labels) })
        .Field("stop_grace", (w, v) => w with { StopGraceSeconds = StopGrace(v) });

    private static FieldTable<WorkloadSpec> Sugar(FieldTable<WorkloadSpec> table)
    {
        SkyPilotSugar(table);
        DstackSugar(table);
        DstackNotActedOn(table);
        return table;
    }

    private static void SkyPilotSugar(FieldTable<WorkloadSpec> table) => table
        .Sugar(Sky, "num_nodes", "nodes", (w, v) => w with { Nodes = v.Int(1, 100_000) })
        .Sugar(Sky, "envs", "env", EnvFields.ReadEnv)
        .NotActedOn(Sky, "file_mounts", "copy what is needed in setup, or put it under workdir; inputs with a size are counted in the plan")
        .NotActedOn(Sky | Dstack, "volumes",
            "volumes are not mounted; checkpoints keeps a folder across attempts, outputs collects results")
        .NotActedOn(Sky, "config", "hooks and settings of SkyPilot; stop_grace gives a program time to save its state")
        .NotActedOn(Sky, "api_server_access", "a workload gets no key to the control plane")
        .NotActedOn(Sky, "event_callback", "follow events with the API")
        .NotActedOn(Sky, "experimental", "settings of SkyPilot")
        .Refused(Sky, "managed_secrets", "list the names under secrets")
        .Refused(Sky, "pool", "workers are nodes that joined; start them with 'cairn node join' and run the workload on them");

    private static void DstackSugar(FieldTable<WorkloadSpec> table) => table
        .Sugar(Dstack, "commands", "run", (w, v) => w with { Run = v.Script() })
        .Sugar(Dstack, "init", "setup", (w, v) => w with { Setup = v.Script() }, ownDialectOnly: true)
        .Sugar(Dstack, "tags", "labels", (w, v) => w with { Labels = Labels.Read(v, w.Labels) })
        .Sugar(Dstack, "backends", "where.providers",
            (w, v) => w with { Where = w.Where with { Providers = v.Words("backends", WhereFields.Provider) } })
        .Sugar(Dstack, "regions", "where.regions",
            (w, v) => w with { Where = w.Where with { Regions = WhereFields.Regions(v) } }, ownDialectOnly: true)
        .Sugar(Dstack, "spot_policy", "where.interruptible",
            (w, v) => w with { Where = w.Where with { Interruptible = WhereFields.SpotPolicy(v) } })
        .Sugar(Dstack, "max_price", "money.max_price",
            (w, v) => w with { Money = w.Money with { MaxPricePerHour = v.Hourly() } }, ownDialectOnly: true)
        .Sugar(Dstack, "max_duration", "money.max_duration",
            (w, v) => w with { Money = w.Money with { MaxDurationSeconds = MaxDuration(v) } }, ownDialectOnly: true)
        .Sugar(Dstack, "stop_duration", "stop_grace",
            (w, v) => w with { StopGraceSeconds = v.Scalar == "off" ? w.StopGraceSeconds : StopGrace(v) })
        .Sugar(Dstack, "retry", "retries", RetryFields.Dstack, ownDialectOnly: true)
        .Sugar(Dstack, "port", "service.port",
            (w, v) => ServiceFields.Serving(w, s => s with { Port = ServiceFields.Port(v) }), ownDialectOnly: true)
        .Sugar(Dstack, "model", "service.model",
            (w, v) => ServiceFields.Serving(w, s => s with { Model = ServiceFields.Model(v) }), ownDialectOnly: true)
        .Sugar(Dstack, "replicas", "service.replicas",
            (w, v) => ServiceFields.Serving(w, s => ServiceFields.Replicas(s, v)), ownDialectOnly: true)
        .Sugar(Dstack, "scaling", "scaling", ServiceFields.DstackScaling, ownDialectOnly: true)
        .Sugar(Dstack, "probes", "service.readiness", ReadinessFields.ReadDstack, ownDialectOnly: true)
        .Sugar(Dstack, "startup_order", "", (w, v) => Only(w, v, "any", "all ranks start together"), ownDialectOnly: true)
        .Sugar(Dstack, "stop_criteria", "",
            (w, v) => Only(w, v, "all-done", "a job has ended when all its ranks have"), ownDialectOnly: true)
        .Refused(Dstack, "schedule", "it would run now and not at its time; start it from a timer of your own", ownDialectOnly: true)
        .Refused(Dstack, "groups", "write one step per group under steps", ownDialectOnly: true)
        .Refused(Dstack, "instance_types", "Cairn chooses machines by what they have; write resources", ownDialectOnly: true)
        .Refused(Dstack, "reservation", "reserved capacity is not used; a node that joined from it is", ownDialectOnly: true)
        .Refused(Dstack, "entrypoint", "write the whole command under commands", ownDialectOnly: true);

    private static void DstackNotActedOn(FieldTable<WorkloadSpec> table)
    {
        (string Name, string Note)[] fields =
        [
            ("image", "the workload runs as a process on the node; install what it needs in setup"),
            ("python", "the workload uses the node's Python; install another in setup"),
            ("nvcc", "the workload uses the node's CUDA"),
            ("docker", "the workload runs as a process on the node"),
            ("shell", "scripts run with the node's shell; call another one in run"),
            ("user", "the workload runs as the node's unprivileged user"),
            ("privileged", "the workload runs as the node's unprivileged user"),
            ("working_dir", "the workload starts in its own working directory"),
            ("home_dir", "the workload starts in its own working directory"),
            ("registry_auth", "no image is pulled"),
            ("repos", "write workdir, or clone in setup"),
            ("files", "write workdir"),
            ("ports", "ports of a job are not opened"),
            ("ide", "no editor is attached"),
            ("version", "no editor is attached"),
            ("inactivity_duration", "write max_duration"),
            ("idle_duration", "a machine is given back when its job ends"),
            ("availability_zones", "a place is chosen by region; the zone is left open"),
            ("creation_policy", "whether a machine is rented or there already follows from the plan"),
            ("utilization_policy", "write max_duration, or a budget in Cairn's form"),
            ("fleets", "nodes that joined are offers like all others; choose them by labels in Cairn's form"),
            ("instances", "nodes that joined are offers like all others; choose them by labels in Cairn's form"),
            ("backend_options", "settings of dstack's providers"),
            ("single_branch", "write workdir, or clone in setup"),
            ("rate_limits", "limits belong to the gateway"),
            ("gateway", "the gateway is the control plane's"),
            ("https", "certificates belong to the gateway"),
            ("auth", "the gateway asks for a key"),
            ("strip_prefix", "paths belong to the gateway"),
            ("path_prefix", "paths belong to the gateway"),
            ("cors", "headers belong to the gateway"),
            ("router", "the gateway's routing is chosen with the service"),
        ];
        foreach (var (name, note) in fields)
            table.NotActedOn(Dstack, name, note, ownDialectOnly: true);
    }

    private static WorkloadSpec Resources(WorkloadSpec workload, FieldValue value) => value.Mapping is { } mapping
        ? ResourceFields.Table.Read(value.Reader, mapping, workload)
        : Wrong(workload, value, "what each node needs");

    private static IReadOnlyList<DataSpec> Outputs(FieldValue value)
    {
        var steps = new List<FieldValue>();
        var outputs = DataFields.Read(value, steps);
        foreach (var step in steps)
            step.Error(DiagnosticCodes.Conflict, "an output comes from its own step; name the step in the inputs of the one that reads it");
        return outputs;
    }

    private static WorkloadSpec Workdir(WorkloadSpec workload, FieldValue value)
    {
        if (value.Mapping is null)
            return workload with { Workdir = value.Word("a local folder") };
        value.Error(DiagnosticCodes.NotSupported, "a repository is not fetched; clone it in setup, or name a local folder");
        return workload;
    }

    private static string? Framework(FieldValue value)
    {
        var word = value.Word("a framework's name").ToLowerInvariant();
        if (word.Length == 0)
            return null;
        var name = FrameworkNames.Canonical(word);
        if (FrameworkNames.Training.Contains(name))
            return name;
        if (FrameworkNames.Others.Contains(name))
        {
            value.NotActedOn($"nothing is set up for {name} yet; setup and run do it");
            return name;
        }

        string[] known = [.. FrameworkNames.Training, .. FrameworkNames.Others];
        var near = value.Reader.Near(word, known);
        value.Error(
            DiagnosticCodes.UnknownName,
            $"no framework named '{Yaml.Excerpt.Of(word)}' is known{(near.Length > 0 ? near : "; expected one of " + string.Join(", ", known))}");
        return null;
    }

    private static int StopGrace(FieldValue value)
    {
        var seconds = value.Seconds();
        if (seconds <= 3600)
            return (int)seconds;
        value.Expected("a duration of at most 1h");
        return 0;
    }

    private static long? MaxDuration(FieldValue value) => value.Scalar is "off" ? null : value.SomeSeconds();

    /// <summary>Accepts the one value of a dstack setting that is how Cairn works anyway; the others are not acted on.</summary>
    private static WorkloadSpec Only(WorkloadSpec workload, FieldValue value, string word, string note)
    {
        if (value.Word() != word)
            value.NotActedOn(note);
        return workload;
    }

    private static WorkloadSpec Wrong(WorkloadSpec workload, FieldValue value, string what)
    {
        value.Expected($"a mapping that says {what}");
        return workload;
    }
}
