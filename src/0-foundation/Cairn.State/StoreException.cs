namespace Cairn.State;

/// <summary>Why the store refused.</summary>
public enum StoreFault
{
    /// <summary>A statement is wrong: its SQL, its arguments, or the row type it is read into.</summary>
    Statement,

    /// <summary>A row breaks a UNIQUE, NOT NULL, CHECK or FOREIGN KEY rule.</summary>
    Constraint,

    /// <summary>No room: the disk or the database's own limit is full. Nothing of the batch was kept.</summary>
    Full,

    /// <summary>A lock or a reply did not come in time.</summary>
    Busy,

    /// <summary>Other servers' transactions kept getting in the way.</summary>
    Conflict,

    /// <summary>The database cannot be reached, or its disk fails.</summary>
    Unavailable,

    /// <summary>The file is damaged or is no database.</summary>
    Corrupt,

    /// <summary>The store is closed, or another server has its file open.</summary>
    Closed,
}

/// <summary>The store could not do a work. Nothing of that work was kept, save where <see cref="OutcomeUnknown"/> says otherwise.</summary>
public sealed class StoreException(StoreFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public StoreFault Fault { get; } = fault;

    /// <summary>Whether the same work may succeed later with nothing changed in the program.</summary>
    public bool IsTransient => Fault is StoreFault.Full or StoreFault.Busy or StoreFault.Conflict or StoreFault.Unavailable;

    /// <summary>
    /// Whether the connection broke while it committed, so the work may or may not be durable. Only PostgreSQL can say so.
    /// </summary>
    public bool OutcomeUnknown { get; init; }
}
