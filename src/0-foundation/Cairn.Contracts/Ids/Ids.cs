namespace Cairn.Contracts.Ids;

/// <summary>Owns jobs, keys and spending.</summary>
public readonly record struct ProjectId(Guid Value) : ITypedId<ProjectId>
{
    public static ProjectId From(Guid value) => new(value);

    public static ProjectId New(DateTimeOffset now) => TypedId.New<ProjectId>(now);

    public override string ToString() => Value.ToString();
}

/// <summary>One API key; the key itself is kept as a hash.</summary>
public readonly record struct KeyId(Guid Value) : ITypedId<KeyId>
{
    public static KeyId From(Guid value) => new(value);

    public static KeyId New(DateTimeOffset now) => TypedId.New<KeyId>(now);

    public override string ToString() => Value.ToString();
}

/// <summary>One execution of a workload.</summary>
public readonly record struct JobId(Guid Value) : ITypedId<JobId>
{
    public static JobId From(Guid value) => new(value);

    public static JobId New(DateTimeOffset now) => TypedId.New<JobId>(now);

    public override string ToString() => Value.ToString();
}

/// <summary>A job's share on one node, for one attempt.</summary>
public readonly record struct TaskId(Guid Value) : ITypedId<TaskId>
{
    public static TaskId From(Guid value) => new(value);

    public static TaskId New(DateTimeOffset now) => TypedId.New<TaskId>(now);

    public override string ToString() => Value.ToString();
}

/// <summary>An enrolled machine running the daemon.</summary>
public readonly record struct NodeId(Guid Value) : ITypedId<NodeId>
{
    public static NodeId From(Guid value) => new(value);

    public static NodeId New(DateTimeOffset now) => TypedId.New<NodeId>(now);

    public override string ToString() => Value.ToString();
}

/// <summary>The right to a node's resources for a time at a price.</summary>
public readonly record struct LeaseId(Guid Value) : ITypedId<LeaseId>
{
    public static LeaseId From(Guid value) => new(value);

    public static LeaseId New(DateTimeOffset now) => TypedId.New<LeaseId>(now);

    public override string ToString() => Value.ToString();
}

/// <summary>One permission to enrol nodes.</summary>
public readonly record struct JoinTokenId(Guid Value) : ITypedId<JoinTokenId>
{
    public static JoinTokenId From(Guid value) => new(value);

    public static JoinTokenId New(DateTimeOffset now) => TypedId.New<JoinTokenId>(now);

    public override string ToString() => Value.ToString();
}

/// <summary>A served model or port with a stable URL.</summary>
public readonly record struct EndpointId(Guid Value) : ITypedId<EndpointId>
{
    public static EndpointId From(Guid value) => new(value);

    public static EndpointId New(DateTimeOffset now) => TypedId.New<EndpointId>(now);

    public override string ToString() => Value.ToString();
}
