using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>Where an engine process is in its life.</summary>
public enum EnginePhase
{
    /// <summary>It listens, and its models are being read.</summary>
    Loading,
    Ready,

    /// <summary>A model could not be loaded.</summary>
    Failed,

    /// <summary>It was asked to stop and finishes what is under way.</summary>
    Draining,
}

/// <summary>The phase, as health and requests ask for it.</summary>
internal sealed class EngineReadiness
{
    private volatile EnginePhase _phase = EnginePhase.Loading;

    public EnginePhase Phase => _phase;

    /// <summary>For what asks a model, or changes which there are.</summary>
    /// <exception cref="RefusedException">The process drains.</exception>
    public void RequireNotDraining()
    {
        if (_phase == EnginePhase.Draining)
            throw RefusedException.Unavailable("the engine is stopping and takes no new requests");
    }

    /// <summary>A process that drains stays so, whatever else ends meanwhile.</summary>
    public void Set(EnginePhase phase)
    {
        if (_phase != EnginePhase.Draining)
            _phase = phase;
    }
}
