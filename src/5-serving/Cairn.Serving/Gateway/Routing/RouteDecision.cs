using System.Runtime.CompilerServices;

namespace Cairn.Serving.Gateway.Routing;

internal enum RouteOutcome : byte
{
    Chosen,

    /// <summary>Replicas are ready, and all have as many requests as they may have.</summary>
    Saturated,

    /// <summary>No replica is ready, or every ready one failed this request already.</summary>
    NoReplica,
}

/// <summary>A replica that was weighed; every term in tokens of work.</summary>
internal struct Candidate
{
    /// <summary>Place in the span that was decided over.</summary>
    public int Index;

    public int Slot;

    /// <summary>Prompt tokens that it would have to compute.</summary>
    public float Prefill;

    /// <summary>What it still has to do.</summary>
    public float Queue;

    public float Distance;
    public float Adapter;
    public float CachePressure;

    /// <summary>At most 0.</summary>
    public float Session;

    public readonly float Cost => Prefill + Queue + Distance + Adapter + CachePressure + Session;
}

/// <summary>Why a replica got a request: those weighed, and how many were left out for what.</summary>
internal struct RouteDecision
{
    public const int MostCandidates = 9;

    public RouteOutcome Outcome;

    /// <summary>Place of the chosen one in <see cref="Candidates"/>.</summary>
    public int Chosen;

    public int CandidateCount;
    public CandidateList Candidates;

    public int Unready;
    public int Draining;
    public int Broken;
    public int Full;
    public int Tried;

    public readonly Candidate Choice => Candidates[Chosen];

    [InlineArray(MostCandidates)]
    public struct CandidateList
    {
        private Candidate _first;
    }
}
