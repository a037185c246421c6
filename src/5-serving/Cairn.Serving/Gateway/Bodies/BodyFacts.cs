namespace Cairn.Serving.Gateway.Bodies;

/// <summary>A piece of a body.</summary>
internal readonly record struct Piece(int Start, int Length)
{
    public bool IsNone => Length == 0;

    public int End => Start + Length;
}

/// <summary>What the gateway needs of a JSON body; everything else is passed on unread.</summary>
internal struct BodyFacts
{
    /// <summary>The name asked for.</summary>
    public string Model;

    /// <summary>Its JSON string in the body, quotes included.</summary>
    public Piece ModelPiece;

    public bool Stream;

    /// <summary>The number that limits the output, as JSON, or the null in its place; none where the client names none.</summary>
    public Piece MaximumPiece;

    /// <summary>The client's limit of output tokens.</summary>
    public long? Maximum;

    /// <summary>How many answers are asked for; 1 where nothing is said.</summary>
    public int Choices;

    /// <summary>What the prompt is made of; what affinity and estimates look at.</summary>
    public Piece Prompt;

    /// <summary>The value of <c>stream_options</c>; none where there is none.</summary>
    public Piece StreamOptions;

    public bool IncludesUsage;

    /// <summary>What the client calls its session or user; null where it says nothing.</summary>
    public string? Session;

    /// <summary>Position behind the opening brace of the body, where members can be inserted.</summary>
    public int FirstMember;

    /// <summary>Whether the body is <c>{}</c>.</summary>
    public bool IsEmpty;
}

/// <summary>A body that cannot be passed on.</summary>
/// <param name="Param">The field at fault; null for the body as a whole.</param>
internal readonly record struct BodyFault(string Message, string? Param);
